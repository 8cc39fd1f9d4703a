"""Programs whose world changes between their processes end right, or stop and ask; never wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .campaign import Counts, course, courses, run_seeds
from .outlook import quick_paths
from .planted import replay_by_position
from .program import program_of
from .report import course_told, line

SEEDS = 2000
PORTION = 250
FORKED = 40


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick_paths():
        yield


def _bad(counts: Counts) -> str:
    return "\n".join(line(one) for one in counts.bad[:10])


@pytest.mark.parametrize("first", range(0, SEEDS, PORTION))
@pytest.mark.timeout(180)
def test_no_program_ends_silently_wrong(first: int) -> None:
    """However its world changes, each effect is done once, or the run stops and asks.

    Programs whose processes differ in nothing but what they made themselves ask nothing.
    """
    counts = run_seeds(range(first, first + PORTION), 2)
    assert counts.of("right") > 0
    assert (counts.of("wrong"), counts.of("needless")) == (0, 0), _bad(counts)


@pytest.mark.slow
def test_real_processes_agree() -> None:
    """The same holds where each process is one of its own, with its own ids and its own pid."""
    counts = run_seeds(range(FORKED), 1, forked=True)
    assert (counts.of("wrong"), counts.of("needless")) == (0, 0), _bad(counts)


def test_replay_by_position_is_found() -> None:
    """The planted fault comes to light within fifty seeds."""
    with replay_by_position():
        counts = run_seeds(range(50), 2)
    assert counts.of("wrong") > 0


def test_a_seed_makes_the_same_program_each_time() -> None:
    """A bad seed can be looked at again."""
    assert [program_of(seed) for seed in range(20)] == [program_of(seed) for seed in range(20)]


def test_an_undisturbed_program_without_questions_is_right() -> None:
    """The oracle agrees with what programs do that nobody interrupts."""
    for seed in range(200):
        found = course(program_of(seed))
        if found.world.process == 0:
            assert found.wrong == [], course_told(found)


def test_a_program_dies_and_is_continued() -> None:
    """The worlds are no idle ones: processes do die, before and after records and in between."""
    found = [one for seed in range(20) for one in courses(seed, 3)]
    diary = "\n".join(text for one in found for text in one.world.diary)
    for moment in ("before the record", "after the record", "after the start marker", "wrote"):
        assert f": {moment}" in diary
    assert "replayed" in diary
