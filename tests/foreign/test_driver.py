"""The driver of foreign suites finds what a durable run breaks, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.foreign.comparison import compare
from tests.foreign.suites import SUITES, Suite

_SUITE = """
import os
import durably
import pytest
from durably.adapting import live_scope

def test_passes_both_ways():
    assert durably.task(str)(1).result() == "1" if live_scope() is not None else True

def test_fails_both_ways():
    assert False

def test_fails_inside_a_run():
    assert live_scope() is None

def test_fails_the_first_time_inside_a_run():
    if live_scope() is not None and not os.path.exists("been-here"):
        open("been-here", "x").close()
        assert False

@pytest.mark.xfail
def test_is_expected_to_fail():
    assert False

@pytest.mark.skip
def test_is_skipped():
    pass
"""


def test_what_a_durable_run_breaks_is_found(tmp_path: Path):
    """A test that fails inside runs only is lost; one that fails once is unsteady."""
    (tmp_path / "test_some.py").write_text(_SUITE, encoding="utf-8")
    compared = compare(Suite(".", (".",)), tmp_path, sys.executable, (), ())
    assert compared.lost == ["test_some.py::test_fails_inside_a_run"]
    assert compared.unsteady == ["test_some.py::test_fails_the_first_time_inside_a_run"]
    assert compared.steps == 1
    assert not compared.is_good
    told = compared.report()
    assert "without durably:     1 failed, 3 passed, 1 skipped, 1 xfailed" in told
    assert "assert live_scope() is None" in told
    assert "     4      2  ." in told


def test_a_suite_in_which_durably_did_nothing_is_no_success(tmp_path: Path):
    """Nothing lost means nothing where no step was journaled, and the report says so."""
    (tmp_path / "test_some.py").write_text("def test_it(): pass", encoding="utf-8")
    compared = compare(Suite(".", (".",)), tmp_path, sys.executable, (), ())
    assert compared.lost == []
    assert not compared.is_good
    assert "NO STEP WAS JOURNALED" in compared.report()


def test_the_command_says_which_suites_it_knows():
    """``--help`` names them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.foreign", "--help"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in done.stdout for name in SUITES)
