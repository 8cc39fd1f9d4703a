"""The AutoGen demo, unchanged, killed after every step in turn: nothing is paid or done twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from durably.testing import ModelServer, crash_matrix
from durably.testing.demos import SCRIPTS

pytestmark = [pytest.mark.autogen, pytest.mark.timeout(120)]

DEMO = Path(__file__).parents[2] / "examples" / "demo_team.py"
REQUESTS = 8
STEPS = 10
SEND_MAIL = 7
SHAPES = pytest.mark.parametrize("arguments", [[], ["--stream"]], ids=["whole", "streamed"])


@pytest.fixture
def server():
    """Serve the demo's model."""
    with ModelServer(SCRIPTS["team"]()) as made:
        yield made


@pytest.fixture
def environment(server, tmp_path):
    """Return the demo's environment."""
    return {
        **os.environ,
        "OPENAI_API_KEY": "any",
        "OPENAI_BASE_URL": server.url,
        "OUTBOX": str(tmp_path / "mails.txt"),
    }


def durably_run(*arguments):
    """Return the command that runs the demo durably."""
    return [sys.executable, "-m", "durably", "run", str(DEMO), *arguments]


def started(command, environment, directory, **more):
    """Run a command to its end."""
    return subprocess.run(
        command,
        env={**environment, **more},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def mails(directory):
    """Return the mails that were sent."""
    return (directory / "mails.txt").read_text(encoding="utf-8").splitlines()


@SHAPES
def test_a_team_killed_after_every_step_pays_and_does_everything_once(
    server, environment, tmp_path, arguments
):
    """Ten kills over one journal, and the output, the requests and the mail of a plain run."""
    plain = started([sys.executable, str(DEMO), *arguments], environment, tmp_path)
    assert (plain.returncode, server.count()) == (0, REQUESTS), plain.stderr
    asked = server.counts
    (tmp_path / "mails.txt").unlink()

    report = crash_matrix(durably_run(*arguments), env=environment, cwd=tmp_path)

    assert (report.kills, report.returncode) == (STEPS, 0), report.stderr
    assert report.stdout == plain.stdout
    assert server.counts - asked == asked
    assert len(mails(tmp_path)) == 1


@SHAPES
def test_an_effect_that_was_not_recorded_is_done_again_and_reported(
    server, environment, tmp_path, arguments
):
    """A kill between the mail and its record: the mail is sent again, and the output says so."""
    killed = started(
        durably_run(*arguments),
        environment,
        tmp_path,
        DURABLY_TEST="1",
        DURABLY_TEST_KILL_BEFORE=str(SEND_MAIL),
    )
    assert killed.returncode < 0, killed.stderr
    assert len(mails(tmp_path)) == 1

    continued = started(durably_run(*arguments), environment, tmp_path)

    assert continued.returncode == 0, continued.stderr
    assert continued.stdout.endswith("stopped: Text 'APPROVED' mentioned\n")
    assert len(mails(tmp_path)) == 2
    assert "send_mail" in next(line for line in continued.stderr.splitlines() if "again" in line)
    assert set(server.counts.values()) == {1}
