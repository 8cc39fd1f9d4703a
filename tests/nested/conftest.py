"""What the tests of nested programs share: CrewAI kept offline, one model for every framework."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.adapters.crewai.conftest import clients_are_collected as clients_are_collected
from tests.faults.scripted import scripted

from durably.engine.source_files import Sources
from durably.testing import ModelServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder: they drive all three frameworks."""
    for item in items:
        if "tests/nested" not in item.path.as_posix():
            continue
        for mark in ("autogen", "crewai", "langgraph"):
            item.add_marker(getattr(pytest.mark, mark))
        item.add_marker(pytest.mark.timeout(60))
        item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture(autouse=True, scope="session")
def sources_are_shared() -> Iterator[None]:
    """Look once at the files of three frameworks, and not in each of a test's hosts."""
    with pytest.MonkeyPatch.context() as patch:
        made = Sources()
        patch.setattr("durably.hosting.host.Sources", lambda: made)
        yield


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelServer]:
    """Serve a model whose answers stand in the task's text."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))  # clients are made quickly: none is read
    with ModelServer(scripted) as made:
        monkeypatch.setenv("OPENAI_BASE_URL", made.url)
        yield made
