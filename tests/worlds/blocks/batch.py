"""Batches: a loop over a folder or a set; items are consumed as they are handled."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import Any

from ..calls import Ask, Effect, Model, Wishes, answer_to, lane, reply_to
from ..words import MADE_IDS
from ..world import World
from .block import Items, Ledger, Wanted


@dataclass
class Batch(Items):
    """A loop over a box of items.

    Attributes:
        consumed: When an item leaves the box: ``inside`` its effect, right ``after`` it, at the
            ``turn``'s end, at the ``loop``'s end, or ``never``.
        order: ``kept``, or each process's ``own``.
        notes: Whether another effect comes before.
        says_text: Whether the effect's arguments hold the model's text.
        review: Whether a person is asked about each item.
        ends: Whether each turn ends with the same model call.
    """

    consumed: str = "never"
    order: str = "kept"
    notes: bool = False
    says_text: bool = True
    review: bool = False
    ends: bool = False

    @property
    def is_quiet(self) -> bool:  # type: ignore[override]
        return self.consumed == "never" and self.order == "kept"

    def prepare(self, world: World) -> None:
        if self.form != MADE_IDS:
            world.files[f"{self.tag}.box"] = [*self.items]
            world.files[f"{self.tag}.all"] = [*self.items]

    def body(self, world: World) -> Wishes:
        box = f"{self.tag}.box"
        if box not in world.files:
            made = [str(uuid.uuid4()) for _ in self.items]
            world.files[f"{self.tag}.all"] = made
            world.write(box, made)
        found = [*world.files[box]]
        for item in world.rotated(found) if self.order == "own" else found:
            yield from self._turn(world, item)
        if self.consumed == "loop":
            for item in found:
                world.consume(box, item)

    def _turn(self, world: World, item: Any) -> Wishes:
        box, given = f"{self.tag}.box", {"who": item, "what": self.tag}
        text = said = None
        with lane(world, given) if self.in_lane else contextlib.nullcontext():
            text = yield Model(self._prompt(item))
            if self.review:
                said = yield Ask(self._question(item))
            if self.notes:
                yield Effect(self._intent(world, "note", item), "note", {"about": item}, self.via)
            effect = Effect(
                self._intent(world, "send", item), "send", self._args(item, text, said), self.via
            )
            if self.consumed == "inside":
                effect.consumes = (box, item)
            got = yield effect
            if self.ends:
                yield Model("Well done?")
        if self.consumed == "after":
            world.consume(box, item)
        world.write(f"{self.tag}.report.{item}", [text, got])
        if self.consumed == "turn":
            world.consume(box, item)

    def _prompt(self, item: Any) -> str:
        return f"{self.tag}: answer {item}"

    def _question(self, item: Any) -> str:
        return f"{self.tag}: send to {item}?"

    def _args(self, item: Any, text: Any, said: Any) -> dict[str, Any]:
        args = {"to": item}
        if self.says_text:
            args["text"] = text
        if self.review:
            args["said"] = said
        return args

    def _intent(self, world: World, what: str, item: Any) -> str:
        return f"{self.tag}.{what}.{world.files[f'{self.tag}.all'].index(item)}"

    def ledgers(self, world: World) -> list[Ledger]:
        found: Ledger = {}
        for item in world.files.get(f"{self.tag}.all", []):
            said = reply_to(self._question(item))
            args = self._args(item, answer_to(self._prompt(item)), said)
            found[self._intent(world, "send", item)] = Wanted("send", args)
            if self.notes:
                found[self._intent(world, "note", item)] = Wanted("note", {"about": item})
        return [found]

    def outputs(self, world: World) -> tuple[dict[str, Any], bool]:
        found: dict[str, Any] = {}
        for item in world.files.get(f"{self.tag}.all", []):
            did = f"did {self._intent(world, 'send', item)}"
            found[f"{self.tag}.report.{item}"] = [answer_to(self._prompt(item)), did]
        return found, self.consumed not in ("inside", "after")


@dataclass
class Repeats(Items):
    """Items that repeat, those done being skipped by their number: requests are equal."""

    is_open = True

    def body(self, world: World) -> Wishes:
        for number, item in enumerate(self.items * 2):
            if f"{self.tag}.{number}" in world.files:
                continue
            yield Effect(f"{self.tag}.pay.{number}", "pay", {"to": item}, self.via)
            world.write(f"{self.tag}.{number}", "paid")

    def ledgers(self, world: World) -> list[Ledger]:
        wanted = enumerate(self.items * 2)
        return [{f"{self.tag}.pay.{n}": Wanted("pay", {"to": item}) for n, item in wanted}]
