"""Type checkers see what programs see: signatures of tasks, types of results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

API = Path(__file__).with_name("api.py")
ROOT = API.parents[2]


@pytest.mark.slow
def test_mypy_agrees():
    """``mypy --strict`` finds every asserted type, and every mistake that is marked as one."""
    path = os.pathsep.join(str(ROOT / one) for one in ("runtime", "adapters"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", str(API)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_pyright_agrees():
    """The same by pyright."""
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", str(API)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    wrong = [one for one in found if one["severity"] == "error"]
    assert [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in wrong] == []
