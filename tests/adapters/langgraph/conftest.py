"""What the tests of the LangGraph adapter share: a journal, and processes that come and go."""

from __future__ import annotations

import pytest

import durably


def pytest_collection_modifyitems(items):
    """Mark every test below this folder."""
    for item in items:
        if "tests/adapters/langgraph" in item.path.as_posix():
            item.add_marker(pytest.mark.langgraph)
            item.add_marker(pytest.mark.timeout(30))


@pytest.fixture
def storage():
    """Return a journal's storage, which outlives the processes of a test."""
    return durably.MemoryStorage()


@pytest.fixture
def process(storage):
    """Return a function that wraps an object on a new host, as another process would."""

    def begin(target, **options):
        return durably.wrap(target, checkpointer=durably.Host(storage, **options))

    return begin
