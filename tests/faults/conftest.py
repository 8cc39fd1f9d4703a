"""What the tests of programs that went wrong share: a folder for each, and marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .course import Course

_PLAIN = ("test_plain_tasks",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder: most drive CrewAI in real processes."""
    for item in items:
        if "tests/faults" not in item.path.as_posix():
            continue
        item.add_marker(pytest.mark.timeout(300))
        item.add_marker(pytest.mark.slow)
        if item.path.stem not in _PLAIN:
            item.add_marker(pytest.mark.crewai)


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Callable[..., Course]]:
    """Return a function that puts a program into a folder of its own."""
    made: list[Course] = []

    def make(*files: str, **options: Any) -> Course:
        folder = tmp_path / f"course{len(made)}"
        folder.mkdir()
        made.append(Course(folder, *files, **options))
        return made[-1]

    yield make
    for one in made:
        one.server.close()
