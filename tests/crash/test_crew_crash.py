"""The CrewAI demo, killed at every step: one result, every request paid once, one mail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from durably.testing import ModelServer, Reply, Rule, When, crash_matrix
from durably.testing.demos import crew_script

DEMO = Path(__file__).parents[2] / "examples" / "demo_crew.py"
OUTPUT = "Order 1042 was lost in transit; Ada Moss was promised a full refund.\n"
STEPS = 11
MAIL_STEP = 7
"""Which step sends the mail: after four model calls and two lookups."""

pytestmark = [pytest.mark.crewai, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def server():
    """Return the scripted model of the demo."""
    with ModelServer(crew_script()) as made:
        yield made


@pytest.fixture
def env(server, tmp_path):
    """Return the environment of the demo's processes, none of which looks outside."""
    return {
        **os.environ,
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_DISABLE_VERSION_CHECK": "true",
        "CREWAI_STORAGE_DIR": str(tmp_path / "crewai"),
        "CREWAI_TESTING": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "OTEL_SDK_DISABLED": "true",
        "OPENAI_API_KEY": "any",
        "OPENAI_BASE_URL": server.url,
        "OUTBOX": "mails.txt",
    }


def command(*arguments):
    return [sys.executable, "-m", "durably", "run", str(DEMO), *arguments]


def started(env, directory):
    return subprocess.run(
        command(), env=env, cwd=directory, capture_output=True, text=True, check=False
    )


def mails(directory):
    return (directory / "mails.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("arguments", [[], ["--stream"]], ids=["whole", "streamed"])
def test_a_kill_after_each_step_costs_nothing(server, env, tmp_path, arguments):
    """Killed once after every step, the program ends as if it had never been killed."""
    report = crash_matrix(command(*arguments), env=env, cwd=tmp_path)
    assert (report.kills, report.returncode, report.stdout) == (STEPS, 0, OUTPUT), report.stderr
    assert (server.count(), set(server.counts.values())) == (7, {1})
    assert len(mails(tmp_path)) == 1


def test_a_kill_between_effect_and_record_is_told(server, env, tmp_path):
    """A mail whose record was lost is sent again, once, and the user is told so."""
    kill = {"DURABLY_TEST": "1", "DURABLY_TEST_KILL_BEFORE": str(MAIL_STEP)}
    killed, ended = (
        subprocess.run(
            command(),
            env={**env, **more},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        for more in (kill, {})
    )
    assert killed.returncode < 0
    assert (ended.returncode, ended.stdout) == (0, OUTPUT), ended.stderr
    assert "send_mail" in ended.stderr
    assert "again" in ended.stderr
    assert (server.count(), set(server.counts.values())) == (7, {1})
    assert len(mails(tmp_path)) == 2


LATE = """
def main():
    from crewai import LLM, Agent, Crew, Task

    agent = Agent(role="Worker", goal="Work", backstory="You work.", llm=LLM(model="gpt-4o-mini"))
    task = Task(description="Look up order 1042. Send the customer one mail. Report how it went.",
                expected_output="A word.", agent=agent)
    print(Crew(agents=[agent], tasks=[task]).kickoff())

main()
"""


def test_a_framework_imported_late_is_caught(tmp_path, env):
    """CrewAI may be imported by a function, long after durably has begun."""
    (tmp_path / "late.py").write_text(LATE, encoding="utf-8")
    with ModelServer([Rule(When(), Reply.text("Done."))]) as server:
        report = crash_matrix(
            [sys.executable, "-m", "durably", "run", "late.py"],
            env={**env, "OPENAI_BASE_URL": server.url},
            cwd=tmp_path,
        )
        assert (report.kills, report.returncode, report.stdout) == (1, 0, "Done.\n"), report.stderr
        assert server.count() == 1
