"""Many seeds: each program runs undisturbed, then dies at random points and is continued."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from .journals import Place
from .oracle import complaints, true_answer
from .process import Ended, run_forked, run_process
from .program import Program, program_of
from .sources import Source
from .world import World

Verdict: TypeAlias = Literal["right", "asked", "wrong", "needless"]

MOST_PROCESSES = 40


@dataclass
class Course:
    """What became of one program in one world.

    Attributes:
        program: The program.
        deaths: At which point each process died; 0: at none.
        world: The world in the end.
        questions: How often somebody was asked whether something is the same.
        wrong: What is wrong.
        verdict: All that in a word.
        extra: Model calls that were paid again.
        points: How many points its longest process passed.
    """

    program: Program
    deaths: tuple[int, ...]
    world: World
    questions: int = 0
    wrong: list[str] = field(default_factory=list)
    verdict: Verdict = "right"
    extra: int = 0
    points: int = 0


def course(program: Program, deaths: tuple[int, ...] = (), *, forked: bool = False) -> Course:
    """Run a program in a new world until it ends, dying at the given points."""
    with tempfile.TemporaryDirectory(prefix="worlds-", dir=_quick_folder()) as made:
        folder = Path(made)
        place = Place(folder / "runs.db" if forked else None)
        with Source(folder, program) as source:
            return _Run(program, deaths, place, source, forked=forked).through()


def _quick_folder() -> str | None:
    """Return a folder in memory if there is one: the death of a process does not empty it."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


class _Run:
    """One program in one world, process after process."""

    def __init__(
        self,
        program: Program,
        deaths: tuple[int, ...],
        place: Place,
        source: Source,
        *,
        forked: bool,
    ) -> None:
        self._program, self._deaths = program, deaths
        self._place, self._source, self._forked = place, source, forked
        self._world = program.world()
        self._course = Course(program, deaths, self._world)

    def through(self) -> Course:
        """Go on until it ends or stops."""
        answers: dict[str, object] = {}
        for number in range(MOST_PROCESSES):
            ended = self._process(number, answers)
            answers = {}
            if ended.how == "waits":
                answers = self._answered(ended)
                if "abort" in answers.values():
                    return self._judged(ended)
            elif ended.how != "died":
                return self._judged(ended)
        self._course.wrong.append(f"it has not ended after {MOST_PROCESSES} processes")
        return self._told()

    def _process(self, number: int, answers: dict[str, object]) -> Ended:
        world = self._world
        world.process = number
        world.version = self._source.begin(number)
        world.begin(self._deaths[number] if number < len(self._deaths) else 0)
        if not self._forked:
            ended = run_process(self._program, world, self._place, answers)
        else:
            ended, self._world = run_forked(self._program, world, self._place, answers)
            self._course.world = self._world
        self._course.points = max(self._course.points, self._world.points)
        self._world.note(f"  process {number} {ended.how} {ended.error}".rstrip())
        return ended

    def _answered(self, ended: Ended) -> dict[str, object]:
        found: dict[str, object] = {}
        for asked in ended.questions:
            found[asked.id] = answer = true_answer(self._program, self._world, asked)
            self._course.questions += asked.name == "changed"
            self._world.note(f"  asked {asked.name}: {asked.shown!r}; answer: {answer!r}")
        return found

    def _judged(self, ended: Ended) -> Course:
        course, world = self._course, self._world
        if ended.how == "failed":
            course.wrong.append(f"it failed: {ended.error.strip().splitlines()[-1]}")
        course.questions += ended.how == "stopped"
        course.wrong += complaints(self._program, world, has_ended=ended.how == "ended")
        return self._told()

    def _told(self) -> Course:
        course = self._course
        if course.wrong:
            course.verdict = "wrong"
        elif course.questions:
            course.verdict = "needless" if self._program.is_quiet else "asked"
        return course


def courses(seed: int, kills: int, *, forked: bool = False) -> Iterator[Course]:
    """Yield what becomes of a seed's program: undisturbed, then with so many series of deaths."""
    program = program_of(seed)
    plain = course(program, forked=forked)
    yield plain
    rng, points = random.Random(f"deaths {seed}"), max(1, plain.points)
    for _ in range(kills):
        times = rng.choice((1, 1, 2, 3))
        deaths = tuple(rng.randint(1, points) for _ in range(times))
        found = course(program, deaths, forked=forked)
        found.extra = max(0, found.world.paid - plain.world.paid)
        yield found


@dataclass
class Counts:
    """What became of many seeds.

    Attributes:
        seeds: How many.
        verdicts: How many courses came out how; by class of program, then by verdict.
        questions: How often somebody was asked.
        quiet: How many courses there were of programs that must not ask.
        extra: How many model calls were paid again.
        bad_seeds: How many seeds have courses that must not be, by verdict.
        bad: The first such course of each seed and verdict.
    """

    seeds: int = 0
    verdicts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    bad_seeds: Counter[Verdict] = field(default_factory=Counter)
    questions: int = 0
    quiet: int = 0
    extra: int = 0
    bad: list[Course] = field(default_factory=list)

    def add(self, found: Iterable[Course]) -> None:
        """Count the courses of one more seed."""
        self.seeds += 1
        verdicts: set[Verdict] = set()
        for one in found:
            kind = class_of(one.program)
            self.verdicts[kind, one.verdict] += 1
            self.questions += one.questions
            self.quiet += one.program.is_quiet
            self.extra += one.extra
            if one.verdict in ("wrong", "needless") and kind != "open":
                if one.verdict not in verdicts:
                    self.bad.append(one)
                verdicts.add(one.verdict)
        self.bad_seeds.update(verdicts)

    def take(self, other: Counts) -> None:
        """Add the counts of other seeds."""
        self.seeds += other.seeds
        self.verdicts += other.verdicts
        self.bad_seeds += other.bad_seeds
        self.questions += other.questions
        self.quiet += other.quiet
        self.extra += other.extra
        self.bad += other.bad

    def of(self, verdict: Verdict) -> int:
        """Return how many courses came out so, but for open programs."""
        found = self.verdicts.items()
        return sum(n for (kind, one), n in found if one == verdict and kind != "open")


def class_of(program: Program) -> str:
    """Return the class that a program is counted in."""
    if program.is_open:
        return "open"
    if program.is_edited:
        return "edited"
    return "quiet" if program.is_quiet else "changed"


def run_seeds(seeds: Iterable[int], kills: int, *, forked: bool = False) -> Counts:
    """Run many seeds one after the other."""
    counts = Counts()
    for seed in seeds:
        counts.add(courses(seed, kills, forked=forked))
    return counts
