"""Runs one small program four ways, plain, durable, replayed and killed, and tells what differs.

A feature is a function that makes its objects anew, as a new process would, and returns what it
came to. What it does to the outside world it does with the ``effect`` that it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import pytest
from crewai.events import crewai_event_bus
from crewai.events.base_events import BaseEvent
from packaging.version import Version

import durably
from durably.testing import StoppingStorage

CONFIG = {"configurable": {"thread_id": "t1"}}
_UNCOUNTED = frozenset(
    {
        "llm_stream_chunk",  # tokens are not streamed again
        "llm_thinking_chunk",
        "default_env",  # told once in a process
        "a2a_agent_card_fetched",  # CrewAI keeps it for five minutes
        "memory_save_failed",  # told by a thread of the pass before, which was stopped
    }
)

Effect = Callable[[str], str]


@dataclass
class Feature:
    """One program of a user's and the script of the models that it asks.

    Attributes:
        program: The program.
        script: The script, or a function that makes one.
        volatile: Whether its prompts differ from process to process.
        better: Whether plain CrewAI repeats effects in its own retries; then the durable program is
            what the killed one is compared with, in what it does and comes to.
        needs: A module without which there is no such feature.
        since: The first CrewAI that has it.
        overlaps: Whether calls run side by side: then a kill also takes those under way.
        skips: Whether finished methods of a flow are not executed again: then a replay does not
            announce what had been done in them.
    """

    program: Callable[[Effect], Any]
    script: Any
    volatile: bool = False
    overlaps: bool = False
    better: bool = False
    needs: str = "crewai"
    since: str = "1.12"
    skips: bool = False

    @property
    def name(self) -> str:
        return self.program.__name__


@dataclass
class Way:
    """What came of a program: its result, what it asked, did and announced."""

    result: Any
    asked: Counter[str]
    done: Counter[str]
    events: Counter[str] = field(default_factory=Counter)


class Ways:
    """Runs features; made by the fixture ``ways``."""

    def __init__(self, serve: Any, tmp_path: Path, monkeypatch: Any) -> None:
        self._serve, self._tmp_path, self._monkeypatch = serve, tmp_path, monkeypatch

    def all(self, feature: Feature) -> int:
        """Check that the ways agree, and return the number of steps."""
        pytest.importorskip(feature.needs, exc_type=ImportError)
        if Version(version("crewai")) < Version(feature.since):
            pytest.skip(f"CrewAI has it since {feature.since}")
        plain = None if feature.better else self.plain(feature)
        plain, steps = self._durable(feature, plain)
        if feature.overlaps:  # a run that nothing was lost of is the same to the last token
            self._stopped(feature, plain, "replayed", steps)
        if feature.better:
            for step in range(1, steps + 1):
                self._stopped(feature, plain, f"killed at {step}", step, once=True)
        else:
            kills = self._stopped(feature, plain, "killed", 1)
            assert kills == steps or feature.overlaps
        return steps

    def _durable(self, feature: Feature, plain: Way | None) -> tuple[Way, int]:
        host, bench = self._begun(feature, "durable")
        way = bench.way(lambda: _entry(host, feature, bench).invoke(1, CONFIG))
        if plain is not None:
            _agree("durable", feature, way, plain)
        steps = len(_steps(host))
        host.close()
        return plain or way, steps

    def plain(self, feature: Feature) -> Way:
        """Run a feature as if there were no durably."""
        bench = self._bench(feature, "plain")
        return bench.way(lambda: feature.program(bench.effect))

    def _stopped(
        self, feature: Feature, plain: Way, name: str, every: int, *, once: bool = False
    ) -> int:
        """Stop the program after every so many steps until it ends; return how often.

        The last pass finds every step in the journal: it is a replay. A call that fails each time
        is made again by each process, so that such a program must be stopped *once* only.
        """
        storage = StoppingStorage()
        host, bench = self._begun(feature, name, storage)
        kills, given = 0, 1
        while True:
            storage.stop_after(None if once and kills else every)
            before = bench.asked
            try:
                way = bench.way(lambda: _entry(host, feature, bench).invoke(given, CONFIG))  # noqa: B023
                break
            except durably.errors.StorageError:
                kills, given = kills + 1, None
                assert kills < 200
        assert once or bench.asked == before, (
            f"asked on replay: {bench.newest(bench.asked - before)}"
        )
        _agree(name, feature, way, plain)
        host.close()
        return kills

    def _begun(self, feature: Feature, way: str, storage: Any = "memory:") -> tuple[Any, Bench]:
        host = durably.Host(storage)
        host.activate()
        return host, self._bench(feature, way)

    def _bench(self, feature: Feature, way: str) -> Bench:
        home = self._tmp_path / way
        home.mkdir()
        self._monkeypatch.setenv("CREWAI_STORAGE_DIR", str(home / "crewai"))
        self._monkeypatch.chdir(home)
        script = feature.script() if callable(feature.script) else feature.script
        return Bench(self._serve(script), home / "effects.txt")


class Bench:
    """What one way of running a program is watched with."""

    def __init__(self, server: Any, effects: Path) -> None:
        self.server, self._effects = server, effects

    def effect(self, text: str) -> str:
        """Change the outside world."""
        with self._effects.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
        return text

    @property
    def asked(self) -> Counter[str]:
        paths = {path: count for path, count in self.server.calls.items() if "embed" in path}
        return self.server.counts + Counter(paths)

    def newest(self, asked: Counter[str]) -> list[Any]:
        return [r.body for r in self.server.requests if r.fingerprint in asked][-1:]

    def way(self, run: Callable[[], Any]) -> Way:
        with _Events() as events:
            result = run()
        lines = self._effects.read_text(encoding="utf-8") if self._effects.exists() else ""
        return Way(result, self.asked, Counter(lines.splitlines()), events.counts)


class _Events:
    """Counts what CrewAI's event bus announces."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._scope = crewai_event_bus.scoped_handlers()
        self._scope.__enter__()
        for kind in _subclasses(BaseEvent):
            crewai_event_bus.on(kind)(self._count)
        return self

    def _count(self, source: Any, event: Any) -> None:
        if event.type not in _UNCOUNTED:
            self.counts[event.type] += 1

    def __exit__(self, *error: object) -> None:
        crewai_event_bus.flush()
        self._scope.__exit__(*error)


def _subclasses(cls: type) -> set[type]:
    return {cls}.union(*(_subclasses(one) for one in cls.__subclasses__()))


def _entry(host: Any, feature: Feature, bench: Bench) -> Any:
    def main(_: Any) -> Any:
        return feature.program(bench.effect)

    return durably.entrypoint(checkpointer=host)(main)


def _steps(host: Any) -> list[Any]:
    records = [entry.record for entry in host.journal.read("t1")]
    return [one for one in records if type(one).__name__ == "StepEnded"]


def _agree(way: str, feature: Feature, found: Way, plain: Way) -> None:
    is_partial = way == "killed" and feature.overlaps
    result = (lambda value: value[0]) if is_partial else (lambda value: value)
    assert result(found.result) == result(plain.result), f"{way}: {found.result}"
    if is_partial:
        # What was under way beside the step that the kill came after is done again.
        assert found.asked.keys() == plain.asked.keys() or feature.volatile
        assert found.done.keys() == plain.done.keys()
        return
    assert found.done == plain.done, way
    if feature.better:
        return
    if feature.volatile:
        assert found.asked.total() == plain.asked.total(), way
    else:
        assert found.asked == plain.asked, way
    if way != "durable" and feature.skips:
        return
    missing, extra = plain.events - found.events, found.events - plain.events
    assert (missing, extra) == (Counter(), Counter()), f"{way}: missing {missing}, more {extra}"
