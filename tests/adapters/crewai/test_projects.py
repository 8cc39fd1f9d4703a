"""Projects made by ``crewai create``, started by CrewAI's own command and by ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.commands import Place

from durably.testing import ModelServer, Reply, Rule, When

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent

SCRIPT = [
    Rule(When(anywhere="Conduct a thorough research"), Reply.text("Agents plan.")),
    Rule(When(anywhere="Review the context"), Reply.text("# Agents plan, at length.")),
    Rule(When(), Reply.text("Words about agents.")),
]

RUN_CREW = f"#!{sys.executable}\nimport sys\nfrom tea.main import run\nsys.exit(run())\n"


@pytest.fixture
def server():
    with ModelServer(SCRIPT) as made:
        yield made


def create(kind, folder, server):
    """Return a project as ``crewai create`` leaves it, in the environment of its ``uv run``."""
    made = subprocess.run(
        [BIN / "crewai", "create", kind, "tea", "--classic"]
        + (["--skip-provider"] if kind == "crew" else []),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    place = Place(folder / "tea")
    place.env.update(
        MODEL="gpt-4o-mini",
        OPENAI_API_KEY="any",
        OPENAI_BASE_URL=server.url,
        PYTHONPATH=str(place.path / "src"),
        # What `uv run` would install is there already.
        UV_NO_SYNC="1",
        UV_OFFLINE="1",
        UV_PROJECT_ENVIRONMENT=str(Path(sys.prefix)),
        PATH=os.pathsep.join([str(place.path / "bin"), str(BIN), os.environ["PATH"]]),
    )
    return place


def test_crewai_run_goes_on_after_a_kill(tmp_path, server):
    """Between durably exec and the project's own Python there are crewai run and uv."""
    place = create("crew", tmp_path, server)
    place.write("bin/run_crew", RUN_CREW).chmod(0o755)  # as installing the project would
    killed = place.durably(
        "exec", "--", "crewai", "run", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1"
    )
    assert server.count() == 1, killed.stdout + killed.stderr
    assert place.newest()["status"] == "stopped"
    done = place.durably("exec", "--", "crewai", "run")
    assert "1 finished step is in the journal" in done.stderr
    assert server.count() == len(server.counts) == 2
    assert (place.path / "report.md").read_text() == "# Agents plan, at length."
    assert place.newest()["status"] == "done"


def test_a_project_is_started_by_its_function(tmp_path, server):
    """What an installed command calls, durably run -m tea.main:run calls."""
    place = create("crew", tmp_path, server)
    done = place.durably("run", "-m", "tea.main:run")
    assert done.returncode == 0, done.stderr
    assert server.count() == 2


def test_a_flow_project_goes_on_after_a_kill(tmp_path, server):
    """The flow's finished methods are not executed again, nor is the crew in them."""
    place = create("flow", tmp_path, server)
    place.durably("run", "src/tea/main.py", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="3")
    done = place.durably("run", "src/tea/main.py")
    assert done.returncode == 0, done.stderr
    assert "Post saved to output/post.md" in done.stdout
    assert "Planning content" not in done.stdout
    assert server.count() == len(server.counts)
