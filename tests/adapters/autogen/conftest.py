"""What the tests of the AutoGen adapter share: a journal, a scripted model, its clients."""

from __future__ import annotations

import asyncio

import pytest

import durably
from durably.engine import adrive
from durably.hosting import all_runs, delivered
from durably.testing import ModelServer

from .programs import client_of


def pytest_collection_modifyitems(items):
    """Mark every test below this folder."""
    for item in items:
        if "tests/adapters/autogen" in item.path.as_posix():
            item.add_marker(pytest.mark.autogen)
            item.add_marker(pytest.mark.timeout(30))


@pytest.fixture
def host():
    """Return a host whose journal is in memory."""
    made = durably.Host("memory:")
    yield made
    made.close()


@pytest.fixture
def drive(host):
    """Return a function that runs a coroutine function durably: one run, replayed if it is over."""

    async def driven(body, answers=None):
        views = all_runs(host.journal)
        run = host.resume(views[-1], answers=answers) if views else host.begin("test", None)
        try:
            return delivered(await adrive(run, body))
        finally:
            host.release(run)

    return driven


@pytest.fixture
def serve():
    """Return a function that serves a script."""
    servers = []

    def start(script, **more):
        servers.append(ModelServer(script, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
async def client():
    """Return a function that makes a model client for a server's URL."""
    clients = []

    def make(server, **more):
        clients.append(client_of(server.url, **more))
        return clients[-1]

    yield make
    for one in clients:
        await one.close()


@pytest.fixture(autouse=True)
async def no_task_is_left():
    """Fail a test that leaves tasks behind."""
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:  # abandoned generators are closed by tasks of the loop's own
        _, left = await asyncio.wait(left, timeout=1)
    assert not left, left
