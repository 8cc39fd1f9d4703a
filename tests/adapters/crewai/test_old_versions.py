"""The adapter's tests against older CrewAIs: ``pytest -m old_crewai`` installs and drives them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FEATURES = "tests/adapters/crewai/test_ways.py"
NEEDED = ["pytest>=8.4", "pytest-asyncio>=1.2", "pytest-timeout>=2.4", "mcp<2", "openai<3"]


@pytest.mark.old_crewai
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("version", ["1.12.2", "1.14.7"])
def test_the_features_hold_with_an_older_crewai(version):
    """What the newest CrewAI is tested with holds with the oldest, as far as that has it."""
    done = subprocess.run(
        [_python(version), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", FEATURES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]


def _python(version):
    """Return the interpreter of a virtual environment with that CrewAI, made if need be."""
    home = ROOT / ".venvs" / f"crewai-{version}"
    python = home / "bin" / "python"
    wanted = [f"crewai=={version}", *NEEDED, "-e", str(ROOT)]
    if importlib.util.find_spec("uv") is not None:
        if not python.exists():
            _run(sys.executable, "-m", "uv", "venv", "-q", "-p", sys.executable, str(home))
        _run(sys.executable, "-m", "uv", "pip", "install", "-q", "-p", str(python), *wanted)
    else:
        if not python.exists():
            _run(sys.executable, "-m", "venv", str(home))
        _run(str(python), "-m", "pip", "install", "-q", *wanted)
    return str(python)


def _run(*command):
    subprocess.run(command, check=True)
