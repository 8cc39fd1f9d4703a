"""The benchmarks run: every scenario measures durably, and a wrong result is no measurement."""

from __future__ import annotations

import argparse
import math

import pytest
from benchmarks.peers.interface import Peer
from benchmarks.place import Place
from benchmarks.results import Cell, Results
from benchmarks.scenarios import sequences, timers, turns
from benchmarks.scenarios.catalogue import SCENARIOS
from benchmarks.scenarios.checks import WrongResultError
from benchmarks.scenarios.sequences import steps
from benchmarks.selection import chosen
from benchmarks.subjects import BY_NAME
from benchmarks.targets import TARGETS, Target, Value

OURS = ("durably none", "durably memory", "durably sqlite")
FRAMEWORKS = {"autogen": pytest.mark.autogen, "crewai": pytest.mark.crewai}
# CrewAI's own modules warn of themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::ImportWarning")


def cases():
    """Yield each scenario with one of our subjects."""
    for scenario in SCENARIOS:
        for name in OURS:
            if name in scenario.subjects:
                mark = FRAMEWORKS.get(scenario.name, ())
                yield pytest.param(scenario, name, marks=mark, id=f"{scenario.name}-{name}")


@pytest.fixture(autouse=True)
def no_repetition(monkeypatch):
    """What is timed is done once or twice."""
    monkeypatch.setattr(timers, "MOST", 1)
    monkeypatch.setattr(turns, "MOST", 2)
    monkeypatch.setattr(turns, "LEAST", 2)
    monkeypatch.setattr(sequences, "RUNS", 20)


@pytest.mark.parametrize(("scenario", "subject"), cases())
def test_a_scenario_measures_durably(scenario, subject, tmp_path):
    """Every scenario runs on durably, checks what it computed and returns finite figures."""
    figures = scenario.measure(BY_NAME[subject], Place(tmp_path), scenario.tiny)
    assert scenario.figure in figures
    assert all(math.isfinite(value) for value in figures.values())


class Forgetful(Peer):
    """A library that returns the right sum without executing every step."""

    def opened(self):
        import contextlib

        return contextlib.nullcontext()

    def steps(self, count):
        self.work(0)
        return count * (count + 1) // 2


def test_a_library_that_skips_steps_is_not_measured(tmp_path):
    """A fast path that leaves work out raises, so that it cannot win."""
    peer = Forgetful(BY_NAME["durably memory"], Place(tmp_path))
    with pytest.raises(WrongResultError, match="steps executed: 1 instead of 5"):
        steps(peer, 5)


def test_a_target_is_judged_by_medians():
    """A target compares the medians of both sides and says how far it is from its bound."""
    results = Results()
    for ours, theirs in ((1.0, 30.0), (2.0, 10.0), (9.0, 20.0)):
        results.add(Cell("steps", "durably memory", 10), {"us": ours})
        results.add(Cell("steps", "langgraph memory", 10), {"us": theirs})
    ours, theirs = (Value("steps", 10, name) for name in ("durably memory", "langgraph memory"))
    met = Target("a step", ours, theirs, at_least=5).judged(results)
    missed = Target("a step", ours, theirs, at_least=20).judged(results)
    alone = Target("a step", ours, at_most=2).judged(results)
    assert met
    assert missed
    assert alone
    assert (met.found, met.is_met, met.margin) == (10, True, 2)
    assert (missed.is_met, missed.margin) == (False, 0.5)
    assert (alone.found, alone.is_met) == (2, True)


def test_every_target_compares_what_is_measured():
    """What a target names is in the catalogue, at a size that a whole run measures."""
    options = argparse.Namespace(only=None, peers=None, sizes=None, quick=False)
    whole = {cell for job in chosen(options) for cell in job}
    options.quick = True
    quick = {cell for job in chosen(options) for cell in job}
    values = [value for one in TARGETS for value in (one.ours, one.against) if value]
    assert {value.cell for value in values} == quick
    assert quick < whole


def test_charts_are_drawn_from_results(tmp_path):
    """Results of a run become pictures small enough to be kept beside the documentation."""
    pytest.importorskip("matplotlib", reason="charts need the extra bench")
    from benchmarks.charts import draw

    results = Results()
    for subject in ("durably memory", "durably sqlite power", "langgraph sqlite sync"):
        for size in (100, 1000):
            results.add(Cell("steps", subject, size), {"us": 1.0 + size})
            results.add(Cell("resume", subject, size), {"ms": 2.0 + size})
    drawn = draw(results, tmp_path)
    assert [path.name for path in drawn] == ["steps.png", "lengths.png", "resume.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    assert all(path.stat().st_size < 100_000 for path in drawn)


def test_results_survive_their_file():
    """Figures and notes are the same after they were written and read."""
    results = Results(about={"python": "3.11"})
    results.add(Cell("steps", "durably memory", 10), {"us": 1.0})
    results.notes[Cell("steps", "langgraph memory", 10)] = "cut at 1 s"
    again = Results.from_json(results.to_json())
    assert (again.rounds, again.notes, again.about) == (
        results.rounds,
        results.notes,
        results.about,
    )
