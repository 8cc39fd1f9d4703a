"""Failures that the program survives: own retries around calls, and another way to go."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from ..calls import Effect, Model, Wishes, answer_to, lane
from ..world import Outage, World
from .block import Block, Ledger, Wanted


@dataclass
class OwnRetry(Block):
    """A retry of the program's own; each attempt begins anew.

    Attributes:
        fails_in: ``effect``: before it has done anything; ``model``: after an effect of the same
            attempt, which is then done once in each attempt.
        failures: How many attempts fail.
        in_lane: Whether each attempt is a lane, all of them with the same content.
        via: How effects are called.
    """

    fails_in: str = "effect"
    failures: int = 1
    in_lane: bool = False
    via: str = "tool"

    def body(self, world: World) -> Wishes:
        for _ in range(10):
            try:
                with lane(world, {"go": self.tag}) if self.in_lane else contextlib.nullcontext():
                    got = yield from self._attempt()
            except Outage:
                continue
            break
        else:
            raise AssertionError("ten attempts failed")
        world.write(f"{self.tag}.got", got)

    def _attempt(self) -> Wishes:
        pay = Effect(f"{self.tag}.pay", "pay", {"for": self.tag}, self.via)
        model = Model(f"{self.tag}: go")
        failing = pay if self.fails_in == "effect" else model
        failing.service, failing.failures = f"{self.tag}.service", self.failures
        if self.fails_in == "effect":
            text = yield model
            return [text, (yield pay)]
        did = yield pay
        return [(yield model), did]

    def ledgers(self, world: World) -> list[Ledger]:
        most = 1 if self.fails_in == "effect" else self.failures + 1
        return [{f"{self.tag}.pay": Wanted("pay", {"for": self.tag}, most=most)}]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        return {f"{self.tag}.got": [answer_to(f"{self.tag}: go"), f"did {self.tag}.pay"]}, True

    def answer(self, world: World, intent: str) -> str:
        return "same" if self.fails_in == "effect" and world.done(intent) else "other"


@dataclass
class Fallback(Block):
    """The first way fails and the program takes the second; the effects tell which one it was.

    Attributes:
        failures: How often the first way fails, in all processes together.
        in_lane: Whether each way is a lane.
        inside_except: Whether the second way is gone inside the ``except`` block.
        via: How effects are called.
    """

    failures: int = 1
    in_lane: bool = True
    inside_except: bool = False
    via: str = "tool"

    def body(self, world: World) -> Wishes:
        how = None
        try:
            how = yield from self._way(world, "first", self.failures)
        except Exception:
            if self.inside_except:
                how = yield from self._way(world, "second", 0)
        if how is None:
            how = yield from self._way(world, "second", 0)
        yield Effect(f"{self.tag}.book.{how}", "book", {"how": f"{self.tag} {how}"}, self.via)
        world.write(f"{self.tag}.how", how)

    def _way(self, world: World, way: str, failures: int) -> Wishes:
        service = f"{self.tag}.{way}"
        with lane(world, {"way": way, "what": self.tag}) if self.in_lane else _NO_LANE:
            yield Model(f"{self.tag}: {way}", service=service, failures=failures)
            yield Effect(f"{self.tag}.mail.{way}", "mail", {"by": service}, self.via)
        return way

    def ledgers(self, world: World) -> list[Ledger]:
        return [
            {
                f"{self.tag}.mail.{way}": Wanted("mail", {"by": f"{self.tag}.{way}"}),
                f"{self.tag}.book.{way}": Wanted("book", {"how": f"{self.tag} {way}"}),
            }
            for way in ("first", "second")
        ]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        for way in ("first", "second"):
            if world.done(f"{self.tag}.book.{way}"):
                return {f"{self.tag}.how": way}, True
        return {}, False

    def answer(self, world: World, intent: str) -> str:
        kind = intent.rpartition(".")[0]
        is_done = any(world.done(f"{kind}.{way}") for way in ("first", "second"))
        return "same" if is_done else "other"


_NO_LANE: contextlib.nullcontext[None] = contextlib.nullcontext()
