"""Every scenario by name: what is measured, at which sizes, on which subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..peers.factory import peer_for
from ..peers.interface import Peer
from ..place import Place
from ..subjects import Subject
from .cold import cold
from .contents import chat, payload, repeated
from .fanout import afanout, fanout
from .resumption import interrupt, kill, resume
from .seams import idle_seam
from .sequences import amany, asteps, many, steps
from .streams import across, latency, throughput
from .turns import autogen, crewai

Figures = dict[str, float]
Measure = Callable[[Subject, Place, int], Figures]

FLOORS = ("floor none", "floor sqlite normal", "floor sqlite full", "floor postgres")
OURS = ("durably memory", "durably sqlite", "durably sqlite power", "durably postgres")
LANGGRAPH = ("langgraph memory", "langgraph sqlite sync", "langgraph postgres sync")
LOOSE = (
    "durably sqlite exit",
    "durably sqlite async",
    "langgraph sqlite exit",
    "langgraph sqlite async",
    "langgraph postgres exit",
    "langgraph postgres async",
)
"""Subjects that promise less than the others."""

DBOS = ("dbos sqlite", "dbos postgres")
EVERYBODY = (*OURS, *LANGGRAPH, *DBOS)


@dataclass(frozen=True)
class Scenario:
    """One kind of work.

    Attributes:
        name: For tables and the command line.
        title: What is measured, with its unit.
        figure: The name of the figure that is shown.
        measure: Measures it once for a subject, at a place, in a size.
        sizes: How large the work is: steps, bytes, turns or workers.
        tiny: A size that takes no time; it shows that the scenario works.
        subjects: The names of those that are measured.
    """

    name: str
    title: str
    figure: str
    measure: Measure
    sizes: tuple[int, ...]
    tiny: int
    subjects: tuple[str, ...] = EVERYBODY


def _of_peer(measure: Callable[[Peer, int], Figures]) -> Measure:
    """Return a measurement of a subject made from one of an opened peer."""

    def measured(subject: Subject, place: Place, size: int) -> Figures:
        return measure(peer_for(subject, place), size)

    return measured


_STEPPERS = (*FLOORS, "durably none", "langgraph none", *EVERYBODY, *LOOSE)
_FRAMEWORKS = ("durably sqlite", "durably sqlite power", "durably postgres")
_IN_PROCESS = ("durably memory", "durably sqlite", "durably postgres", *LANGGRAPH, *DBOS)
_KILLED = ("durably sqlite", "durably postgres", *LANGGRAPH[1:], *LOOSE[2:], *DBOS)

SCENARIOS = (
    Scenario(
        "steps",
        "a step, plain functions (µs)",
        figure="us",
        measure=_of_peer(steps),
        sizes=(10, 100, 1000, 5000),
        tiny=5,
        subjects=_STEPPERS,
    ),
    Scenario(
        "asteps",
        "a step, coroutines (µs)",
        figure="us",
        measure=_of_peer(asteps),
        sizes=(10, 100, 1000, 5000),
        tiny=5,
        subjects=_STEPPERS,
    ),
    Scenario(
        "fanout",
        "steps of 10 ms at once, plain functions (ms)",
        figure="ms",
        measure=_of_peer(fanout),
        sizes=(1000, 10_000),
        tiny=5,
        subjects=(*OURS, *LANGGRAPH, "langgraph memory wide", *DBOS),
    ),
    Scenario(
        "afanout",
        "steps of 10 ms at once, coroutines (ms)",
        figure="ms",
        measure=_of_peer(afanout),
        sizes=(1000, 10_000),
        tiny=5,
    ),
    Scenario(
        "resume",
        "continuing after a failure (ms)",
        figure="ms",
        measure=_of_peer(resume),
        sizes=(100, 1000, 10_000),
        tiny=5,
        subjects=_IN_PROCESS,
    ),
    Scenario(
        "replay",
        "continuing a very long run (ms)",
        figure="ms",
        measure=_of_peer(resume),
        sizes=(100_000,),
        tiny=5,
        subjects=("durably sqlite",),
    ),
    Scenario(
        "kill",
        "finished steps executed again after kill -9 in a run of so many (count)",
        figure="again",
        measure=_of_peer(kill),
        sizes=(200,),
        tiny=8,
        subjects=_KILLED,
    ),
    Scenario(
        "interrupt",
        "answering a question after so many steps (ms)",
        figure="ms",
        measure=_of_peer(interrupt),
        sizes=(0, 100, 1000),
        tiny=5,
        subjects=_IN_PROCESS,
    ),
    Scenario(
        "payload",
        "a step that returns so many bytes (ms)",
        figure="ms",
        measure=_of_peer(payload),
        sizes=(1_000, 100_000, 1_000_000, 10_000_000),
        tiny=10,
    ),
    Scenario(
        "repeated",
        "ten steps that return the same bytes (bytes on disk / size)",
        figure="disk_ratio",
        measure=_of_peer(repeated),
        sizes=(1_000_000,),
        tiny=10,
        subjects=("durably sqlite", "durably postgres", *LANGGRAPH[1:], *DBOS),
    ),
    Scenario(
        "chat",
        "a conversation of so many turns (ms a turn)",
        figure="ms",
        measure=_of_peer(chat),
        sizes=(200,),
        tiny=3,
    ),
    Scenario(
        "stream",
        "parts streamed flat out (parts/s)",
        figure="per_s",
        measure=_of_peer(throughput),
        sizes=(10_000,),
        tiny=20,
        subjects=_IN_PROCESS,
    ),
    Scenario(
        "latency",
        "a part from writer to reader (µs)",
        figure="us",
        measure=_of_peer(latency),
        sizes=(300,),
        tiny=3,
        subjects=_IN_PROCESS,
    ),
    Scenario(
        "across",
        "the news of a step from one process to another (ms)",
        figure="ms",
        measure=_of_peer(across),
        sizes=(200,),
        tiny=3,
        subjects=("durably sqlite", "durably postgres", *DBOS),
    ),
    Scenario(
        "many",
        "1,000 runs of ten steps from so many threads (steps/s)",
        figure="per_s",
        measure=_of_peer(many),
        sizes=(16, 64),
        tiny=2,
    ),
    Scenario(
        "amany",
        "1,000 runs of ten steps in one event loop (steps/s)",
        figure="per_s",
        measure=_of_peer(amany),
        sizes=(16, 64),
        tiny=2,
    ),
    Scenario(
        "cold",
        "an import in a fresh interpreter, fastest of so many (ms)",
        figure="ms",
        measure=cold,
        sizes=(5,),
        tiny=1,
        subjects=("floor none", "durably none", "langgraph none", "dbos sqlite"),
    ),
    Scenario(
        "seam",
        "a seam outside of runs, on top of so many calls of its function (ns a call)",
        figure="ns",
        measure=idle_seam,
        sizes=(100_000,),
        tiny=100,
        subjects=("durably none",),
    ),
    Scenario(
        "crewai",
        "a CrewAI turn, its model answering after so many ms (durable / plain)",
        figure="ratio",
        measure=crewai,
        sizes=(0, 300),
        tiny=0,
        subjects=_FRAMEWORKS,
    ),
    Scenario(
        "autogen",
        "an AutoGen turn, its model answering after so many ms (durable / plain)",
        figure="ratio",
        measure=autogen,
        sizes=(0, 300),
        tiny=0,
        subjects=_FRAMEWORKS,
    ),
)

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
