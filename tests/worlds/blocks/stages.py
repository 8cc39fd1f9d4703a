"""Stages: own checkpoints, stages that are skipped, branches, and sources that are edited."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from ..calls import Effect, Model, Wishes, answer_to, lane
from ..world import World
from .block import Block, Items, Ledger, Wanted


@dataclass
class Checkpoints(Items):
    """Stages that are skipped where their output is there already."""

    def body(self, world: World) -> Wishes:
        for stage in self.items:
            if f"{self.tag}.{stage}" in world.files:
                continue
            given = {"stage": stage, "what": self.tag}
            with lane(world, given) if self.in_lane else contextlib.nullcontext():
                text = yield Model(f"{self.tag}: {stage}")
                got = yield Effect(f"{self.tag}.do.{stage}", "do", {"stage": stage}, self.via)
            world.write(f"{self.tag}.{stage}", [text, got])

    def ledgers(self, world: World) -> list[Ledger]:
        return [{f"{self.tag}.do.{one}": Wanted("do", {"stage": one}) for one in self.items}]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        return {
            f"{self.tag}.{one}": [answer_to(f"{self.tag}: {one}"), f"did {self.tag}.do.{one}"]
            for one in self.items
        }, True


@dataclass
class FirstTime(Items):
    """Something that is done at the first start only, and something that is done always."""

    def body(self, world: World) -> Wishes:
        first, second = self.items
        if world.process == 0:
            yield Model(f"{self.tag}: welcome {first}")
            yield Effect(f"{self.tag}.welcome", "greet", {"who": first}, self.via)
        text = yield Model(f"{self.tag}: work for {second}")
        got = yield Effect(f"{self.tag}.work", "greet", {"who": second}, self.via)
        world.write(f"{self.tag}.work", [text, got])

    def ledgers(self, world: World) -> list[Ledger]:
        first, second = self.items
        return [
            {
                f"{self.tag}.welcome": Wanted("greet", {"who": first}, least=0),
                f"{self.tag}.work": Wanted("greet", {"who": second}),
            }
        ]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        text = answer_to(f"{self.tag}: work for {self.items[1]}")
        return {f"{self.tag}.work": [text, f"did {self.tag}.work"]}, True


@dataclass
class Branch(Items):
    """A path that depends on the clock: each process may take another one.

    Attributes:
        is_named: Whether the effects of both paths have one name.
    """

    is_named: bool = True

    @property
    def is_open(self) -> bool:  # type: ignore[override]
        # ``other`` holds for every later effect of the name, so that a batch is asked about once.
        return self.is_named

    def body(self, world: World) -> Wishes:
        way = self.items[world.process % len(self.items)]
        yield Model(f"{self.tag}: {way} mail")
        yield Effect(f"{self.tag}.{way}", self._name(way), {"when": way}, self.via)

    def _name(self, way: Any) -> str:
        return "mail" if self.is_named else f"mail_{way}"

    def ledgers(self, world: World) -> list[Ledger]:
        return [{f"{self.tag}.{way}": Wanted(self._name(way), {"when": way})} for way in self.items]

    def answer(self, world: World, intent: str) -> str:
        return "same" if any(world.done(f"{self.tag}.{way}") for way in self.items) else "other"


@dataclass
class Edited(Block):
    """Jobs of a program whose source is edited between two processes.

    Attributes:
        versions: The jobs of each version: a prompt and what the effect is told.
        in_lane: Whether each job has a lane of its own.
        via: How effects are called.
    """

    versions: list[list[tuple[str, str]]] = field(default_factory=list)
    in_lane: bool = False
    via: str = "tool"

    def body(self, world: World) -> Wishes:
        for prompt, what in self.versions[world.version - 1]:
            given = {"job": prompt, "what": self.tag}
            with lane(world, given) if self.in_lane else contextlib.nullcontext():
                yield Model(f"{self.tag}: {prompt}")
                yield Effect(f"{self.tag}.{what}", "job", {"what": what}, self.via)

    def ledgers(self, world: World) -> list[Ledger]:
        now = {what for _, what in self.versions[world.version - 1]}
        found = {f"{self.tag}.{what}": Wanted("job", {"what": what}) for what in now}
        for _, what in self.versions[0]:
            if what not in now:
                wanted = Wanted("job", {"what": what}, least=0, only_in=1)
                found[f"{self.tag}.{what}"] = wanted
        return [found]
