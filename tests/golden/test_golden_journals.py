"""Journals recorded by earlier versions continue under this one: nothing is paid or done twice."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from durably.cli import main
from durably.engine import IDENTITY

from .cases import CASES, JOURNALS, WAITING, served, started

STORE = ("--store", "sqlite:///journal.db")


def durably(place: Path, *words: str) -> str:
    """Run a command of durably in *place*, in this process, and return its output."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.chdir(place), redirect_stdout(output), redirect_stderr(errors):
        code = main(words)
    assert code == 0, errors.getvalue()
    return output.getvalue()


def only_run(place: Path) -> str:
    """Return the id of the journal's one run."""
    [found] = json.loads(durably(place, "runs", *STORE, "--json"))["runs"]
    return found["run"]


def answered(place: Path) -> None:
    """Answer the journal's one question: approve a call, or say yes."""
    [question] = json.loads(durably(place, "approvals", *STORE, "--json"))["questions"]
    if question["allowed"]:
        durably(place, "approve", *STORE, question["id"])
    else:
        durably(place, "respond", *STORE, question["id"], "yes")


@pytest.fixture
def place(tmp_path, case, identity):
    """Return a folder with the case's program and its journal under one rule of identity."""
    shutil.copy(JOURNALS / f"identity-{identity}" / f"{case.name}.db", tmp_path / "journal.db")
    shutil.copy(case.program, tmp_path)
    return tmp_path


def marked(case):
    """Return a case as a parameter that carries the mark of its framework."""
    frameworks = {
        "crew": pytest.mark.crewai,
        "crewai": pytest.mark.crewai,
        "langgraph": pytest.mark.langgraph,
        "team": pytest.mark.autogen,
    }
    marks = [frameworks[case.script]] if case.script else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("identity", range(1, IDENTITY + 1))
@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_a_recorded_run_continues(case, place):
    """A run that was killed, or that waits for a person, is finished from its journal."""
    with served(case) as server:
        if case.first_exit == WAITING:
            answered(place)
        done = started(case, place, server, run=only_run(place))
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(case.output)
        assert server.count() == case.requests, done.stderr
    for file, lines in {"mails.txt": case.mails, "done.txt": case.effects}.items():
        written = place / file
        assert (len(written.read_text().splitlines()) if written.exists() else 0) == lines


@pytest.mark.parametrize("identity", range(1, IDENTITY + 1))
@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_a_recorded_run_is_shown(case, place):
    """The commands that read a journal list the run and each of its steps."""
    shown = json.loads(durably(place, "show", *STORE, "--json", only_run(place)))
    assert shown["run"] == only_run(place)
    with sqlite3.connect(place / "journal.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    database.close()
    assert {"row", "blob"} <= tables
