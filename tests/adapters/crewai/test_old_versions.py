"""The adapter's tests against older CrewAIs: ``pytest -m old_crewai`` installs and drives them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = ["approvals", "flow_people", "people", "policies", "replay", "reuse", "streams"]
TESTS += ["surprises", "ways"]
NEEDED = ["pytest>=8.4", "pytest-asyncio>=1.2", "pytest-timeout>=2.4", "mcp<2", "openai<3"]
PROVIDERS = "anthropic,azure-ai-inference,bedrock,google-genai"
VERSIONS = {"1.12.2": f"{PROVIDERS},litellm", "1.14.7": PROVIDERS}
"""Older versions, each with the extras that can be installed with it."""


@pytest.mark.old_crewai
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_adapters_tests_hold_with_an_older_crewai(version):
    """What the newest CrewAI is tested with holds with an older one, as far as that has it."""
    tests = [f"tests/adapters/crewai/test_{name}.py" for name in TESTS]
    done = subprocess.run(
        [_python(version), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *tests],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-8000:])  # -rA shows what was skipped, and why
    assert done.returncode == 0


def _python(version):
    """Return the interpreter of a virtual environment with that CrewAI, made if need be."""
    home = ROOT / ".venvs" / f"crewai-{version}"
    python = home / "bin" / "python"
    wanted = [f"crewai[{VERSIONS[version]}]=={version}", *NEEDED, "-e", str(ROOT)]
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
