"""What the tests of the CrewAI adapter share: CrewAI kept offline, a journal, a scripted model."""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from importlib.metadata import version

import pytest
from packaging.specifiers import SpecifierSet

import durably
from durably.testing import ModelServer

OFFLINE = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "OPENAI_API_KEY": "any",
    "ANTHROPIC_API_KEY": "any",
    "GEMINI_API_KEY": "any",
    "AZURE_API_KEY": "any",
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "true",
}
_storage = tempfile.TemporaryDirectory(prefix="durably-crewai-")

os.environ.update(OFFLINE, CREWAI_STORAGE_DIR=_storage.name)
with warnings.catch_warnings(action="ignore"):
    import crewai as crewai  # it reads its environment now, and warns of itself


def pytest_collection_modifyitems(config, items):
    """Mark every test below this folder; older CrewAIs are for who asks for them."""
    if "old_crewai" not in config.option.markexpr:
        items[:] = [item for item in items if item.get_closest_marker("old_crewai") is None]
    for item in items:
        for spec, why in (mark.args for mark in item.iter_markers("with_crewai")):
            if version("crewai") not in SpecifierSet(spec):
                item.add_marker(pytest.mark.skip(reason=f"CrewAI {spec}: {why}"))
        if "tests/adapters/crewai" in item.path.as_posix():
            item.add_marker(pytest.mark.crewai)
            item.add_marker(pytest.mark.timeout(120))
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:.*checkpoint:UserWarning"))


@pytest.fixture(autouse=True, scope="module")
def clients_are_collected():
    """Let go of CrewAI's model clients, which it never closes, while nobody is told of it."""
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


@pytest.fixture
def host():
    """Return a host whose journal is in memory."""
    made = durably.Host("memory:")
    yield made
    made.close()


@pytest.fixture
def serve(monkeypatch):
    """Return a function that serves a script where the providers' clients look for a model."""
    servers = []

    def start(script, **more):
        server = ModelServer(script, **more)
        servers.append(server)
        for name in ("OPENAI_BASE_URL", "AZURE_ENDPOINT"):
            monkeypatch.setenv(name, server.url)
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        for name in ("ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "AWS_ENDPOINT_URL"):
            monkeypatch.setenv(name, server.host)
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def ways(serve, tmp_path, monkeypatch):
    """Return what runs a feature plain, durable, replayed and killed after each step."""
    from .ways import Ways

    return Ways(serve, tmp_path, monkeypatch)


@pytest.fixture
def outbox(tmp_path, monkeypatch):
    """Return the file that the demo program's mails go to."""
    path = tmp_path / "mails.txt"
    monkeypatch.setenv("OUTBOX", str(path))
    return path
