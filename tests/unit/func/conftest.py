"""Fixtures: each test runs on a journal in memory and on one in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.func.places import Place


@pytest.fixture(params=["memory", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "runs.db" if request.param == "sqlite" else None)
    yield made
    made.close()
