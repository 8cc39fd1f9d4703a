"""A directory for scripts, and a framework to run in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.commands import Place
from tests.support.framework import install


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A directory with nothing in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Place(folder)


@pytest.fixture
def tiny(place: Place, tmp_path: Path) -> Place:
    """The same, with a third party's framework and adapter installed for its commands."""
    site = install(tmp_path / "site")
    place.env["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(site), os.environ.get("PYTHONPATH", "")])
    )
    return place
