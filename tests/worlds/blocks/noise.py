"""Noise: text in prompts and arguments that differs from process to process."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

from ..calls import Effect, Model, Together, Wishes, answer_to, lane
from ..words import MADE, UNKNOWN
from ..world import World
from .block import ANYTHING, Block, Items, Ledger, Wanted


@dataclass
class Noisy(Items):
    """Jobs whose prompts or arguments hold text that this process came by.

    Attributes:
        noises: Names of what the text is, in :data:`MADE` or :data:`UNKNOWN`.
        where: ``prompt``, ``args``, ``both``, or ``inputs``: the lane's content too.
        anew: Whether it is drawn anew for each job.
        echo: Whether the model repeats it.
        once: Whether the effects must not be repeated.
    """

    noises: list[str] = field(default_factory=list)
    where: str = "prompt"
    anew: bool = True
    echo: bool = False
    once: bool = False

    @property
    def is_quiet(self) -> bool:  # type: ignore[override]
        return all(one in MADE for one in self.noises)

    def body(self, world: World) -> Wishes:
        noise = self._noise(world)
        for item in self.items:
            noise = self._noise(world) if self.anew else noise
            given: dict[str, Any] = {"job": item}
            if self.where == "inputs":
                given["session"] = noise
            with lane(world, given) if self.in_lane else contextlib.nullcontext():
                in_prompt = noise if self.where != "args" else ""
                text = yield Model(f"{self.tag}: {item}", in_prompt, self.echo)
                args: dict[str, Any] = {"to": item, "text": text}
                if self.where in ("args", "both"):
                    args["key"] = noise
                intent = f"{self.tag}.send.{item}"
                got = yield Effect(intent, "send", args, self.via, self.once)
            world.write(f"{self.tag}.{item}", got)

    def _noise(self, world: World) -> str:
        return " ".join((MADE.get(one) or UNKNOWN[one])(world) for one in self.noises)

    def ledgers(self, world: World) -> list[Ledger]:
        found: Ledger = {}
        for item in self.items:
            text = ANYTHING if self.echo else answer_to(f"{self.tag}: {item}")
            args: dict[str, Any] = {"to": item, "text": text}
            if self.where in ("args", "both"):
                args["key"] = ANYTHING
            found[f"{self.tag}.send.{item}"] = Wanted("send", args, once=self.once)
        return [found]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        return {f"{self.tag}.{one}": f"did {self.tag}.send.{one}" for one in self.items}, True


@dataclass
class Orders(Items):
    """A dictionary in each process's own order: as text in a prompt, as data in an argument."""

    def body(self, world: World) -> Wishes:
        table = {str(item): 1 for item in world.rotated(self.items)}
        yield Model(f"{self.tag}: all of it", json.dumps(table))
        yield Effect(f"{self.tag}.send", "send", {"table": table, "what": self.tag}, self.via)

    def ledgers(self, world: World) -> list[Ledger]:
        table = {str(item): 1 for item in self.items}
        return [{f"{self.tag}.send": Wanted("send", {"table": table, "what": self.tag})}]


@dataclass
class SideBySide(Items):
    """Tasks that are begun side by side.

    Attributes:
        order: ``kept``, or each process's ``own``.
        key: What makes a key among the arguments, if there is one; see :data:`MADE`.
    """

    order: str = "kept"
    key: str = ""

    @property
    def is_quiet(self) -> bool:  # type: ignore[override]
        return self.order == "kept" and (not self.key or self.key in MADE)

    def body(self, world: World) -> Wishes:
        items = world.rotated(self.items) if self.order == "own" else self.items
        effects = []
        for item in items:
            args: dict[str, Any] = {"to": item}
            if self.key:
                args["key"] = (MADE.get(self.key) or UNKNOWN[self.key])(world) + f" {len(effects)}"
            effects.append(Effect(f"{self.tag}.post.{item}", "post", args, "task"))
        got = yield Together(effects)
        for item, value in zip(items, got, strict=True):
            world.write(f"{self.tag}.{item}", value)

    def ledgers(self, world: World) -> list[Ledger]:
        more = {"key": ANYTHING} if self.key else {}
        return [
            {f"{self.tag}.post.{one}": Wanted("post", {"to": one, **more}) for one in self.items}
        ]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        return {f"{self.tag}.{one}": f"did {self.tag}.post.{one}" for one in self.items}, True


@dataclass
class End(Block):
    """The last effect of a program."""

    is_quiet = True

    def body(self, world: World) -> Wishes:
        yield Effect(f"{self.tag}.end", "end", {"of": self.tag})

    def ledgers(self, world: World) -> list[Ledger]:
        return [{f"{self.tag}.end": Wanted("end", {"of": self.tag})}]
