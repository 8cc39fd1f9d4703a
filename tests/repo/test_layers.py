"""Imports point one way, and every private room is guarded."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from .tree import ROOT, SOURCES, python_files

PUBLIC_ROOMS = {"adapting", "testing", "people"}
"""Rooms that adapters and plug-ins import, besides ``durably`` itself, its types and errors."""


def tools():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]


def contracts():
    return tools()["importlinter"]


def contract(kind):
    [found] = [one for one in contracts()["contracts"] if one["type"] == kind]
    return found


def packages(root):
    return {path.parent.name for path in (ROOT / root).glob("*/__init__.py")}


def test_the_contracts_are_kept():
    """import-linter finds no import that goes up, sideways, or past the public surface."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_private_room_is_guarded():
    """A new room is listed among those that adapters and plug-ins must not import."""
    rooms = packages("runtime/durably") - PUBLIC_ROOMS
    assert set(contract("protected")["protected_modules"]) == {f"durably.{one}" for one in rooms}


def test_every_package_is_looked_at():
    """A new adapter or plug-in is among the packages that import-linter reads and keeps apart."""
    ours = packages("adapters") | packages("plugins")
    assert set(contracts()["root_packages"]) == {"durably", *ours}
    assert ours - set(contract("forbidden")["forbidden_modules"]) == set()
    assert packages("adapters") - set(contract("independence")["modules"]) == set()


def test_every_source_root_is_type_checked():
    """As soon as a root holds a package, both type checkers read it."""
    roots = {root for root in SOURCES if packages(root)}
    assert roots - set(tools()["mypy"]["files"]) == set()
    assert roots - set(tools()["pyright"]["include"]) == set()


def test_only_the_hooks_know_pluggy_and_only_the_commands_know_click():
    """One room deals with each of the libraries that shape a program."""
    for library, rooms in {
        "pluggy": {"hooks", "markers.py"},
        "click": {"cli"},
        "rich": {"cli"},
    }.items():
        users = {
            path.relative_to(ROOT / "runtime/durably").parts[0]
            for path in python_files("runtime")
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.startswith((f"import {library}", f"from {library}"))
        }
        assert users <= rooms, library
