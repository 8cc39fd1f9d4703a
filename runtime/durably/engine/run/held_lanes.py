"""Which of the steps under way do something: not those whose code waits for a call inside them."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import NamedTuple

from ..replay.lane import inside


class Held(NamedTuple):
    """A lane whose code cannot go on by itself.

    Attributes:
        lane: Its path.
        region: What has to be unwound before it ends; None if it waits for other code of the run.
    """

    lane: str
    region: object = None


def is_working(
    busy: Collection[object], held: Collection[Held], within: str = "", region: object = None
) -> bool:
    """Say whether something under way can still come to an end by itself.

    A step around a parked call cannot: what waits for an answer inside it holds it up.

    Args:
        busy: The steps, and questions at the terminal, that are under way.
        held: The lanes whose code cannot go on by itself.
        within: The lane in which to look; by default the whole run.
        region: What is about to be unwound: what another one holds up will come to an end, since
            that one is unwound first. By default nobody asks for that.
    """
    lanes = [  # threads enter and leave both meanwhile
        one.lane for one in tuple(held) if region is None or one.region in (None, region)
    ]
    return any(_works(one, lanes, within) for one in tuple(busy))


def _works(one: object, held: Collection[str], within: str) -> bool:
    inner: str | None = getattr(one, "inner", None)
    if inner is None:  # a question at the terminal: wherever it was asked, a person is typing
        return True
    return inside(inner, within) and not any(inside(lane, inner) for lane in held)


@contextmanager
def holding(held: list[Held], lane: str, region: object = None) -> Generator[None]:
    """Say that the code of *lane* cannot go on by itself, while the block runs."""
    one = Held(lane, region)
    held.append(one)
    try:
        yield
    finally:
        held.remove(one)
