"""What durably sets itself: ratios of medians in one run on one machine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .results import Cell, Results


@dataclass(frozen=True)
class Value:
    """One figure of one cell."""

    scenario: str
    size: int
    subject: str
    figure: str = "us"

    @property
    def cell(self) -> Cell:
        """The cell it is a figure of."""
        return Cell(self.scenario, self.subject, self.size)

    @property
    def by_cpu(self) -> Value:
        """The same figure in CPU time instead of time."""
        return replace(self, figure=f"cpu_{self.figure}")

    def of(self, results: Results) -> float | None:
        """Return the median, or None if it was not measured."""
        return results.median(self.cell, self.figure)


@dataclass(frozen=True)
class Target:
    """A bound for one figure of ours, alone or against another.

    Attributes:
        work: What is done.
        ours: Our figure; less is better.
        against: The other figure; none: the bound is for ours alone.
        at_least: How many times less ours must be.
        at_most: How much of the other ours may be, or how much it may be alone.
        allowance: What is taken off ours first, in its unit.
    """

    work: str
    ours: Value
    against: Value | None = None
    at_least: float | None = None
    at_most: float | None = None
    allowance: float = 0.0

    def judged(self, results: Results) -> Verdict | None:
        """Compare with what was measured; None if something was not."""
        against = self.against
        found = self._found(self.ours.of(results), against.of(results) if against else None)
        if found is None:
            return None
        ours, other = self.ours.by_cpu, against.by_cpu if against else None
        by_cpu = self._found(ours.of(results), other.of(results) if other else None)
        if self.at_least is not None:
            bound, margin = f"≥ {self.at_least:g}x", found / self.at_least
        else:
            assert self.at_most is not None
            bound = f"≤ {self.at_most:g}{'x' if self.against else ''}"
            margin = self.at_most / found if found > 0 else math.inf
        return Verdict(found, bound, margin, by_cpu, self._range(results))

    def _found(self, ours: float | None, other: float | None) -> float | None:
        """Return what is compared with the bound, from our figure and the other."""
        if ours is None or (other is None and self.against is not None):
            return None
        ours -= self.allowance
        if other is None:
            return ours
        return other / max(ours, 1e-9) if self.at_least is not None else ours / other

    def _range(self, results: Results) -> tuple[float, float] | None:
        if self.at_least is None or self.against is None:
            return None
        found = results.ratios(self.ours.cell, self.against.cell, self.ours.figure)
        return (min(found), max(found)) if len(found) > 1 else None


@dataclass(frozen=True)
class Verdict:
    """How a target came out.

    Attributes:
        found: The ratio, or our figure.
        bound: What was to be reached.
        margin: 1 is the bound exactly; 2 is twice as good, 0.5 half.
        by_cpu: The same by CPU time, on which a busy machine has little influence.
        rounds: The ratio in the worst and in the best round.
    """

    found: float
    bound: str
    margin: float
    by_cpu: float | None = None
    rounds: tuple[float, float] | None = None

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return self.margin >= 1

    @property
    def said(self) -> str:
        """The verdict in words."""
        if self.is_met:
            return f"met, {self.margin:.2f}x the bound" if self.margin < math.inf else "met"
        return f"missed, {self.margin:.2f}x the bound"


MEMORY, SQLITE, SYNCED, SERVER = (
    "durably memory",
    "durably sqlite",
    "durably sqlite power",
    "durably postgres",
)
LANGGRAPH, LANGGRAPH_SQLITE, LANGGRAPH_SERVER = (
    "langgraph memory",
    "langgraph sqlite sync",
    "langgraph postgres sync",
)
DBOS_SQLITE, DBOS_SERVER = "dbos sqlite", "dbos postgres"


def _faster(
    work: str, scenario: str, size: int, ours: str, figure: str = "us", **times: float
) -> Iterator[Target]:
    """Yield a target against each library named in *times*, on the storage that ours uses."""
    others = {
        ("langgraph", MEMORY): LANGGRAPH,
        ("langgraph", SQLITE): LANGGRAPH_SQLITE,
        ("langgraph", SYNCED): LANGGRAPH_SQLITE,
        ("langgraph", SERVER): LANGGRAPH_SERVER,
        ("dbos", SQLITE): DBOS_SQLITE,
        ("dbos", SYNCED): DBOS_SQLITE,
        ("dbos", SERVER): DBOS_SERVER,
    }
    for library, bound in times.items():
        mine = Value(scenario, size, ours, figure)
        other = Value(scenario, size, others[library, ours], figure)
        yield Target(work, mine, other, at_least=bound)


TARGETS = (
    *_faster("step in memory, sync, N=1,000", "steps", 1000, MEMORY, langgraph=60),
    Target(
        "step in memory at N=5,000 against N=100",
        Value("steps", 5000, MEMORY),
        Value("steps", 100, MEMORY),
        at_most=1.2,
    ),
    *_faster("step in memory, async, N=1,000", "asteps", 1000, MEMORY, langgraph=35),
    *_faster("step, SQLite, N=1,000", "steps", 1000, SQLITE, langgraph=18, dbos=35),
    *_faster("step, SQLite, async, N=1,000", "asteps", 1000, SQLITE, langgraph=18, dbos=35),
    Target(
        "step, SQLite synced, less 40 µs, against a bare synced commit",
        Value("steps", 1000, SYNCED),
        Value("steps", 1000, "floor sqlite full"),
        at_most=1.3,
        allowance=40,
    ),
    *_faster("step, SQLite synced", "steps", 1000, SYNCED, langgraph=3.5, dbos=7),
    *_faster("SQLite synced, 64 threads", "many", 64, SYNCED, langgraph=10, dbos=15),
    *_faster("step, PostgreSQL", "steps", 1000, SERVER, langgraph=4.5, dbos=8),
    *_faster("PostgreSQL, 64 threads", "many", 64, SERVER, langgraph=12, dbos=12),
    *_faster("1,000 steps of 10 ms, async", "afanout", 1000, MEMORY, "ms", langgraph=12),
    *_faster("1,000 steps of 10 ms, sync", "fanout", 1000, MEMORY, "ms", langgraph=10),
    Target(
        "10,000 steps of 10 ms against 1,000, async",
        Value("afanout", 10_000, MEMORY, "ms"),
        Value("afanout", 1000, MEMORY, "ms"),
        at_most=12,
    ),
    Target(
        "10,000 steps of 10 ms against 1,000, sync",
        Value("fanout", 10_000, MEMORY, "ms"),
        Value("fanout", 1000, MEMORY, "ms"),
        at_most=12,
    ),
    *_faster("replay of 1,000 steps, SQLite", "resume", 1000, SQLITE, langgraph=50),
    *_faster("replay of 10,000 steps, SQLite", "resume", 10_000, SQLITE, langgraph=250),
    Target(
        "a replayed step of 100,000 against one of 10,000",
        Value("replay", 100_000, SQLITE),
        Value("resume", 10_000, SQLITE),
        at_most=1.2,
    ),
    Target(
        "finished steps executed again after kill -9",
        Value("kill", 200, SQLITE, "again"),
        at_most=0,
    ),
    *_faster("answer after 1,000 steps", "interrupt", 1000, SQLITE, "ms", langgraph=50),
    Target(
        "chat of 200 turns: bytes on disk against its text",
        Value("chat", 200, SQLITE, "disk_ratio"),
        at_most=3,
    ),
    *_faster("chat of 200 turns: disk", "chat", 200, SQLITE, "disk_ratio", langgraph=100),
    Target(
        "chat of 200 turns: the last 20 turns against the first 20",
        Value("chat", 200, SQLITE, "growth"),
        at_most=1.5,
    ),
    *_faster("parts streamed in process", "stream", 10_000, SQLITE, langgraph=3),
    *_faster("latency of a part in process, p50", "latency", 300, SQLITE, langgraph=3),
    Target(
        "news of a step from one process to another, SQLite, ms",
        Value("across", 200, SQLITE, "ms"),
        at_most=5,
    ),
    Target(
        "news of a step from one process to another, PostgreSQL, ms",
        Value("across", 200, SERVER, "ms"),
        at_most=5,
    ),
    Target(
        "10 MB results: bytes on disk against their size",
        Value("payload", 10_000_000, SQLITE, "disk_ratio"),
        at_most=1.02,
    ),
    Target(
        "ten equal results of 1 MB: bytes on disk against one",
        Value("repeated", 1_000_000, SQLITE, "disk_ratio"),
        at_most=1.05,
    ),
    Target(
        "CrewAI turn, SQLite, a model that answers at once",
        Value("crewai", 0, SQLITE, "ratio"),
        at_most=1.05,
    ),
    Target(
        "CrewAI turn, SQLite, a model that answers after 300 ms",
        Value("crewai", 300, SQLITE, "ratio"),
        at_most=1.05,
    ),
    Target(
        "AutoGen turn, SQLite, a model that answers at once",
        Value("autogen", 0, SQLITE, "ratio"),
        at_most=1.05,
    ),
    Target(
        "AutoGen turn, SQLite, a model that answers after 300 ms",
        Value("autogen", 300, SQLITE, "ratio"),
        at_most=1.05,
    ),
    Target(
        "import durably: time",
        Value("cold", 5, "durably none", "ms"),
        Value("cold", 5, "langgraph none", "ms"),
        at_least=12,
    ),
    Target("import durably: MB in memory", Value("cold", 5, "durably none", "rss_mb"), at_most=30),
)
