"""Programs: a few blocks drawn from a seed, in plain code or in a coroutine."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .blocks.batch import Batch, Repeats
from .blocks.block import Block
from .blocks.failures import Fallback, OwnRetry
from .blocks.noise import End, Noisy, Orders, SideBySide
from .blocks.stages import Branch, Checkpoints, Edited, FirstTime
from .calls import Wishes, lane
from .words import FORMS, MADE, MADE_IDS, UNKNOWN, names
from .world import World


@dataclass(frozen=True)
class Program:
    """A program: what it does, in which form.

    Attributes:
        seed: What it was drawn from.
        blocks: Its pieces, one after the other.
        lanes: Tags of the blocks that lie in a lane of their own.
        is_async: Whether it is a coroutine.
    """

    seed: int
    blocks: Sequence[Block]
    lanes: frozenset[str] = frozenset()
    is_async: bool = False

    @property
    def is_quiet(self) -> bool:
        """Whether its processes differ in nothing but what they made themselves."""
        return all(block.is_quiet for block in self.blocks)

    @property
    def is_open(self) -> bool:
        """Whether requests alone cannot tell its effects apart."""
        return any(block.is_open for block in self.blocks)

    @property
    def is_edited(self) -> bool:
        """Whether its source is another one from the second process on."""
        return any(isinstance(block, Edited) for block in self.blocks)

    def world(self) -> World:
        """Return a new world for it."""
        world = World()
        for block in self.blocks:
            block.prepare(world)
        return world

    def body(self, world: World) -> Wishes:
        """Run: yield wishes."""
        for block in self.blocks:
            in_lane = block.tag in self.lanes
            with lane(world, {"block": block.tag}) if in_lane else contextlib.nullcontext():
                yield from block.body(world)
        return "done"


def program_of(seed: int) -> Program:
    """Return the program of a seed."""
    rng = random.Random(f"program {seed}")
    taken: set[object] = set()
    kinds = rng.choice(_MIXES)
    drawn = [rng.choice(kinds)(rng, f"b{n}", taken) for n in range(rng.choice((1, 1, 2, 3)))]
    if any(isinstance(block, Edited) for block in drawn):
        # An edited program is not asked about what it means: a hazard beside the edit is another.
        drawn = [block for block in drawn if block.is_quiet or isinstance(block, Edited)]
    blocks: list[Block] = [*drawn, End("z")]
    lanes = frozenset(block.tag for block in drawn if rng.random() < 0.2)
    return Program(seed, blocks, lanes, is_async=rng.random() < 0.3)


Taken = set[object]


def _form(rng: random.Random) -> str:
    return rng.choice([*FORMS, "words", "words"])


def _via(rng: random.Random) -> str:
    return rng.choice(("tool", "tool", "task"))


def _chance(rng: random.Random, share: float = 0.5) -> bool:
    return rng.random() < share


def _batch(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = MADE_IDS if _chance(rng, 0.1) else _form(rng)
    return Batch(
        tag,
        names(form, rng.randrange(2, 5), rng, taken),
        form,
        _chance(rng),
        _via(rng),
        consumed=rng.choice(("inside", "after", "turn", "loop", "never")),
        order=rng.choice(("kept", "kept", "own")),
        notes=_chance(rng, 0.3),
        says_text=_chance(rng, 0.7),
        review=_chance(rng, 0.2),
        ends=_chance(rng, 0.3),
    )


def _same(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = _form(rng)
    found = names(form, rng.randrange(2, 4), rng, taken)
    review, text = _chance(rng, 0.2), _chance(rng)
    return Batch(tag, found, form, _chance(rng), _via(rng), says_text=text, review=review)


def _noisy(rng: random.Random, tag: str, taken: Taken, made: Sequence[str]) -> Block:
    form, where = _form(rng), rng.choice(("prompt", "args", "both", "inputs"))
    return Noisy(
        tag,
        names(form, rng.randrange(2, 4), rng, taken),
        form,
        where == "inputs" or _chance(rng, 0.3),
        _via(rng),
        noises=rng.sample(made, rng.choice((1, 1, 2))),
        where=where,
        anew=_chance(rng),
        echo=_chance(rng, 0.3),
        once=_chance(rng, 0.2),
    )


def _made(rng: random.Random, tag: str, taken: Taken) -> Block:
    return _noisy(rng, tag, taken, [*MADE])


def _unknown(rng: random.Random, tag: str, taken: Taken) -> Block:
    return _noisy(rng, tag, taken, [*UNKNOWN])


def _checkpoints(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = _form(rng)
    return Checkpoints(
        tag, names(form, rng.randrange(2, 5), rng, taken), form, _chance(rng), _via(rng)
    )


def _first_time(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = _form(rng)
    return FirstTime(tag, names(form, 2, rng, taken), form, via=_via(rng))


def _branch(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = _form(rng)
    found = names(form, 2, rng, taken)
    return Branch(tag, found, form, via=_via(rng), is_named=_chance(rng))


def _retry(rng: random.Random, tag: str, taken: Taken) -> Block:
    fails_in, failures = rng.choice(("effect", "model")), rng.randrange(1, 4)
    return OwnRetry(tag, fails_in, failures, _chance(rng), _via(rng))


def _fallback(rng: random.Random, tag: str, taken: Taken) -> Block:
    failures = rng.randrange(1, 3)
    return Fallback(tag, failures, _chance(rng, 0.7), _chance(rng), _via(rng))


def _orders(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = _form(rng)
    return Orders(tag, names(form, 3, rng, taken), form, via=_via(rng))


def _side_by_side(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = _form(rng)
    found, key = names(form, rng.randrange(2, 4), rng, taken), ""
    if _chance(rng):
        key = rng.choice(("uuid4", "now", "random number"))
    return SideBySide(tag, found, form, order=rng.choice(("kept", "own")), key=key)


def _repeats(rng: random.Random, tag: str, taken: Taken) -> Block:
    form = _form(rng)
    return Repeats(tag, names(form, 2, rng, taken), form, via=_via(rng))


def _edited(rng: random.Random, tag: str, taken: Taken) -> Block:
    whats = [str(one) for one in names(_form(rng), rng.randrange(2, 5), rng, taken)]
    jobs = [(f"job {n} of {what}", what) for n, what in enumerate(whats)]
    return Edited(tag, [jobs, _edit(rng, jobs, tag)], _chance(rng), _via(rng))


def _edit(rng: random.Random, jobs: list[tuple[str, str]], tag: str) -> list[tuple[str, str]]:
    """Return the jobs of a second version."""
    jobs, at = [*jobs], rng.randrange(len(jobs))
    match rng.choice(("insert", "remove", "move", "prompt", "effect", "both", "nothing")):
        case "insert":
            jobs.insert(at, (f"new job of {tag}", f"new of {tag}"))
        case "remove":
            del jobs[at]
        case "move":
            jobs.insert(rng.randrange(len(jobs)), jobs.pop(at))
        case "prompt":
            jobs[at] = (f"{jobs[at][0]}, but well", jobs[at][1])
        case "effect":
            jobs[at] = (jobs[at][0], f"{jobs[at][1]} again")
        case "both":
            jobs[at] = (f"{jobs[at][0]}, but well", f"{jobs[at][1]} again")
    return jobs


_Kind = Callable[[random.Random, str, Taken], Block]
_HAZARDS: list[_Kind] = [
    *[_batch] * 5,
    *[_checkpoints] * 2,
    _first_time,
    _branch,
    *[_retry] * 2,
    *[_fallback] * 2,
    _unknown,
    _orders,
    *[_side_by_side] * 2,
]
_QUIET: list[_Kind] = [*[_made] * 4, _same]
_MIXES: list[list[_Kind]] = [
    *[_HAZARDS] * 6,
    [*_HAZARDS, *_QUIET],
    *[_QUIET] * 2,
    [_edited],
    [_edited, *_QUIET],
]
_MIXES = _MIXES * 5 + [[_repeats]]
