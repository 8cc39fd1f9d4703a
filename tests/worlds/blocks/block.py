"""A block: a piece of a program, what it must have done in the end, and who knows better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..calls import Wishes
from ..world import World


class _Anything:
    """Equals everything: an argument that differs from process to process."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "…"


ANYTHING: Any = _Anything()


@dataclass(frozen=True)
class Wanted:
    """What must have been done for an intent.

    Attributes:
        name: The tool's or task's name.
        args: Its arguments.
        least: How often at least, once the program has ended.
        most: How often at most, but for an effect whose record was lost.
        only_in: The version of the source that may do it; 0: every one.
        once: Whether it must not be repeated even if its record was lost.
    """

    name: str
    args: Mapping[str, Any]
    least: int = 1
    most: int = 1
    only_in: int = 0
    once: bool = False


Ledger: TypeAlias = "dict[str, Wanted]"
"""Intents and what must have been done for them."""


@dataclass
class Block:
    """A piece of a program.

    Attributes:
        tag: Tells its texts from another block's.
    """

    tag: str

    is_quiet = False
    """Whether its processes differ in nothing but what they made themselves: no question."""

    is_open = False
    """Whether requests alone cannot tell its effects apart: counted by itself."""

    def prepare(self, world: World) -> None:
        """Put what the block finds into a new world."""

    def body(self, world: World) -> Wishes:
        """Run: yield wishes."""
        raise NotImplementedError

    def ledgers(self, world: World) -> list[Ledger]:
        """Return the ledgers that are right; one of them must be there."""
        raise NotImplementedError

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        """Return the files that are right, and whether all must be there in the end."""
        return {}, False

    def answer(self, world: World, intent: str) -> str:
        """Return the true answer to whether an effect is the same as the recorded one."""
        return "same" if world.done(intent) else "other"


@dataclass
class Items(Block):
    """A block that handles items one after the other.

    Attributes:
        items: Their names, all different.
        form: What the names look like.
        in_lane: Whether each has a lane of its own.
        via: How effects are called.
    """

    items: list[Any] = field(default_factory=list)
    form: str = "words"
    in_lane: bool = False
    via: str = "tool"
