"""A counter-example: one small program against one thoughtless rule of replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..blocks.block import ANYTHING, Block, Ledger, Wanted
from ..calls import Wishes
from ..world import World

Allowed: TypeAlias = Literal["right", "right or asked", "open"]

Body: TypeAlias = "Callable[[World], Wishes]"

EXAMPLES: dict[str, Example] = {}
"""All of them, by name."""


@dataclass
class Example(Block):
    """A program of one function; what it does undisturbed is what is right.

    Attributes:
        function: The program.
        allowed: What may come of it: only the right result; or a question, too; ``open``: equal
            requests in different places, which requests cannot tell apart.
        noise: Arguments that may differ from process to process.
        is_plain: Whether it cannot be a coroutine.
        wanted: What it does undisturbed.
        files: What it then writes.
        said: Whether it was said what is right, since the program is not undisturbed by itself.
    """

    function: Body = field(kw_only=True)
    allowed: Allowed = "right"
    noise: tuple[str, ...] = ()
    is_plain: bool = False
    wanted: Ledger = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    said: bool = False

    def body(self, world: World) -> Wishes:
        return self.function(world)

    def learn(self, world: World) -> None:
        """Take an undisturbed world for the right one, unless it was said what is right."""
        if self.said:
            return
        self.wanted, self.files = {}, {}
        for deed in world.ledger:
            args = {k: ANYTHING if k in self.noise else v for k, v in deed.args.items()}
            times = len(world.done(deed.intent))
            self.wanted[deed.intent] = Wanted(deed.name, args, least=times, most=times)
        for name, value in world.files.items():
            if name.startswith("out."):
                self.files[name] = value

    def ledgers(self, world: World) -> list[Ledger]:
        return [self.wanted]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        return self.files, bool(self.files)


def example(
    allowed: Allowed,
    *,
    noise: tuple[str, ...] = (),
    is_plain: bool = False,
    wanted: Mapping[str, Wanted] | None = None,
) -> Callable[[Body], Body]:
    """Register a program with what may come of it."""

    def register(function: Body) -> Body:
        name = function.__name__
        made = Example("x", function=function, allowed=allowed, noise=noise, is_plain=is_plain)
        made.wanted, made.said = dict(wanted or {}), wanted is not None
        EXAMPLES[name] = made
        return function

    return register
