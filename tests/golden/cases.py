"""The programs whose journals are kept, and how each is started and continued."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from durably.testing import ModelServer, Reply, Rule, When
from durably.testing.demos import SCRIPTS

HERE = Path(__file__).parent
DEMOS = HERE.parents[1] / "examples"
JOURNALS = HERE / "journals"
"""A folder for each rule by which lanes were ever named (``durably.engine.IDENTITY``)."""
KILLED = -9
WAITING = 75


@dataclass(frozen=True)
class Case:
    """A recorded run.

    Attributes:
        name: The journal's name, without its suffix.
        program: The program that was run.
        kill_after: The step after whose record the process was killed; 0: no kill.
        requests: How many model requests the continuation makes.
        mails: How many mails the continuation sends.
        output: The end of the continued program's output.
        effects: How many lines the continuation's tasks write.
        script: The script of the model server (see ``durably.testing.demos``), or the framework.
        arguments: The program's own arguments.
        options: Options of ``durably run``.
        first_exit: The exit status of the recorded process.
    """

    name: str
    program: Path
    kill_after: int
    requests: int
    mails: int
    output: str
    script: str = ""
    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    first_exit: int = KILLED
    effects: int = 0


ESSAY = HERE / "programs" / "essay.py"
FLOW = HERE / "programs" / "review_flow.py"
GRAPH = HERE / "programs" / "graph.py"
CREW, TEAM = DEMOS / "demo_crew.py", DEMOS / "demo_team.py"
CREW_OUTPUT = "Order 1042 was lost in transit; Ada Moss was promised a full refund.\n"
ESSAY_OUTPUT = "published: An essay about tea\n"
APPROVE = ("--approve", "send_mail", "--no-input")
TEAM_OUTPUT = "stopped: Text 'APPROVED' mentioned\n"
CASES = (
    Case("crew-middle", CREW, 6, 3, 1, CREW_OUTPUT, "crew"),
    Case("crew-all-steps", CREW, 11, 0, 0, CREW_OUTPUT, "crew"),
    Case("crew-streamed", CREW, 6, 3, 1, CREW_OUTPUT, "crew", ("--stream",)),
    Case("team-middle", TEAM, 5, 4, 1, TEAM_OUTPUT, "team"),
    Case("team-all-steps", TEAM, 10, 0, 0, TEAM_OUTPUT, "team"),
    Case("team-streamed", TEAM, 5, 4, 1, TEAM_OUTPUT, "team", ("--stream",)),
    Case("crew-waiting", CREW, 0, 3, 1, CREW_OUTPUT, "crew", (), APPROVE, WAITING),
    Case("team-waiting", TEAM, 0, 3, 1, TEAM_OUTPUT, "team", (), APPROVE, WAITING),
    Case("essay-waiting", ESSAY, 0, 0, 0, ESSAY_OUTPUT, first_exit=WAITING, effects=1),
    Case("flow-begun", FLOW, 1, 2, 0, "tea: Good.\n", "crewai", effects=1),
    Case("flow-middle", FLOW, 4, 1, 0, "tea: Good.\n", "crewai"),
    Case("graph-waiting", GRAPH, 0, 0, 0, ESSAY_OUTPUT, "langgraph", first_exit=WAITING, effects=1),
)


@contextmanager
def served(case: Case) -> Iterator[ModelServer]:
    """Serve the scripted model of a case."""
    rules = (
        SCRIPTS[case.script]() if case.script in SCRIPTS else [Rule(When(), Reply.text("Good."))]
    )
    with ModelServer(rules) as server:
        yield server


def started(
    case: Case, place: Path, server: ModelServer, *, kill_after: int = 0, run: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program of a case under ``durably run`` in *place*, where its journal lies."""
    kill = {"DURABLY_TEST": "1", "DURABLY_TEST_KILL_AFTER": str(kill_after)} if kill_after else {}
    command = [Path(sys.executable).with_name("durably"), "run", "--store", "sqlite:///journal.db"]
    chosen = ["--run", run] if run else []
    return subprocess.run(
        [*command, *chosen, *case.options, case.program.name, *case.arguments],
        env={**os.environ, **environment(place, server), **kill},
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def environment(place: Path, server: ModelServer) -> dict[str, str]:
    """Return the variables of a program that reaches nothing but the scripted model."""
    return {
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_DISABLE_VERSION_CHECK": "true",
        "CREWAI_STORAGE_DIR": str(place / "crewai"),
        "CREWAI_TESTING": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "OTEL_SDK_DISABLED": "true",
        "OPENAI_API_KEY": "any",
        "OPENAI_BASE_URL": server.url,
        "OUTBOX": "mails.txt",
    }
