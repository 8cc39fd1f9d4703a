"""Fixtures: a directory for scripts, and a framework to run in it."""

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
    use_site(place, install(tmp_path / "site"))
    return place


def use_site(place: Place, site: Path) -> None:
    """Let the commands find what is installed in *site*."""
    inherited = os.environ.get("PYTHONPATH", "")
    place.env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), inherited]))
