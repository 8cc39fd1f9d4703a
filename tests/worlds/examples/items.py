"""Programs whose requests differ in data: no item may be given what was meant for another."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from ..blocks.block import Wanted
from ..calls import Ask, Effect, Model, Wishes, lane, reply_to
from ..world import World
from .example import EXAMPLES, Example, example

_UUIDS = [str(uuid.UUID(int=n * 7919 + 2**100)) for n in range(3)]
_ITEMS: dict[str, Iterable[Any]] = {
    "words": ("ann", "bob", "cyd"),
    "uuids": _UUIDS,
    "commit_hashes": [hashlib.sha1(name).hexdigest() for name in (b"a", b"b", b"c")],
    "dates": ("2026-01-05", "2026-01-06", "2026-01-07"),
    "numbered_chapters": ("chapter 1", "chapter 2", "chapter 3"),
    "days_that_are_names": ("May 1", "June 2", "April 3"),
    "temporary_folders": ("/tmp/tmpaaaaaaa1", "/tmp/tmpaaaaaaa2", "/tmp/tmpaaaaaaa3"),
}
_ARGUMENTS: dict[str, Iterable[Any]] = {
    "weekdays": ("Monday", "Tuesday", "Wednesday"),
    "times_of_day": ("10:00", "10:30", "11:00"),
    "durations": ("5 minutes", "10 minutes", "20 minutes"),
    "order_numbers": (1712345678, 1712345699, 1712349999),
    "phone_numbers": ("+49 1712345678", "+49 1512345678", "+49 1612345678"),
    "colours": ("ff00aa01", "00ffaa02", "11ffaa03"),
}


def _inbox(world: World, items: Iterable[Any]) -> list[Any]:
    world.files.setdefault("inbox", [*items])
    return [*world.files["inbox"]]


def _answered(items: Iterable[Any], *, in_lane: bool = False) -> Callable[[World], Wishes]:
    """Return a program that answers each item, sends it, and takes it out of the inbox."""

    def body(world: World) -> Wishes:
        for item in _inbox(world, items):
            with lane(world, {"who": item}) if in_lane else contextlib.nullcontext():
                text = yield Model(f"Answer {item}")
                yield Effect(f"x.send.{item}", "send", {"to": item, "text": text})
            world.consume("inbox", item)

    return body


def _booked(items: Iterable[Any]) -> Callable[[World], Wishes]:
    """Return a program in which items are nothing but arguments of a tool."""

    def body(world: World) -> Wishes:
        for item in _inbox(world, items):
            yield Effect(f"x.book.{item}", "book", {"what": item})
            world.consume("inbox", item)
            yield Model("Well done?")

    return body


def _register() -> None:
    for name, items in _ITEMS.items():
        body = _answered(items)
        EXAMPLES[f"inbox_of_{name}"] = Example("x", function=body, allowed="right or asked")
    for name in ("words", "uuids"):
        body = _answered(_ITEMS[name], in_lane=True)
        found = Example("x", function=body, allowed="right or asked")
        EXAMPLES[f"inbox_of_{name}_in_lanes"] = found
    for name, items in _ARGUMENTS.items():
        body = _booked(items)
        EXAMPLES[f"arguments_that_are_{name}"] = Example(
            "x", function=body, allowed="right or asked"
        )


_register()


def _queue(world: World, names: list[str], made: Callable[[int], str]) -> list[tuple[str, str]]:
    """Return what is left of a queue whose items the first process made: places and items."""
    if "inbox" not in world.files:
        world.files["all"] = [made(n) for n in range(3)]
        world.files["inbox"] = [*world.files["all"]]
    return [(names[world.files["all"].index(item)], item) for item in world.files["inbox"]]


def _handled(world: World, queue: list[tuple[str, str]]) -> Wishes:
    for name, item in queue:
        text = yield Model(f"Event of {item}")
        assert item in text, f"{item} got {text}"
        yield Effect(f"x.handle.{name}", "handle", {"item": item, "text": text})
        world.consume("inbox", item)


@example("right or asked", noise=("item", "text"))
def events_of_just_now(world: World) -> Wishes:
    now = dt.datetime.now()  # noqa: DTZ005 - as most programs do

    def made(n: int) -> str:
        return (now + dt.timedelta(microseconds=n)).isoformat()

    yield from _handled(world, _queue(world, ["a", "b", "c"], made))


@example("right or asked", noise=("item", "text"))
def ids_that_the_first_process_made(world: World) -> Wishes:
    yield from _handled(world, _queue(world, ["a", "b", "c"], lambda _: str(uuid.uuid4())))


_REVIEWED = {
    f"x.send.{item}": Wanted("send", {"to": item, "said": reply_to(f"Send to {item}?")})
    for item in _ITEMS["words"]
}


@example("right or asked", wanted=_REVIEWED)
def inbox_with_a_person(world: World) -> Wishes:
    for item in _inbox(world, _ITEMS["words"]):
        said = yield Ask(f"Send to {item}?")
        yield Effect(f"x.send.{item}", "send", {"to": item, "said": said}, "task")
        world.consume("inbox", item)


@example("right or asked")
def set_order(world: World) -> Wishes:
    for item in world.rotated(["tea", "milk", "salt", "bread"]):
        yield Effect(f"x.buy.{item}", "buy", {"what": item})
        world.write(f"out.{item}", (yield Model(f"about {item}")))


@example("right or asked")
def set_order_in_lanes(world: World) -> Wishes:
    for item in world.rotated(["tea", "milk", "salt", "bread"]):
        with lane(world, {"what": item}):
            yield Effect(f"x.buy.{item}", "buy", {"what": item})
            text = yield Model(f"about {item}")
        world.write(f"out.{item}", text)


@example("right or asked")
def own_checkpoints(world: World) -> Wishes:
    for stage in ("research", "write", "publish"):
        if f"out.{stage}" not in world.files:
            yield Effect(f"x.note.{stage}", "note", {"stage": stage})
            world.write(f"out.{stage}", (yield Model(stage)))


@example("open")
def equal_payments(world: World) -> Wishes:
    for item in _inbox(world, ("ann", "bob", "cyd")):
        yield Effect(f"x.pay.{item}", "pay", {"amount": 2})
        world.consume("inbox", item)


@example("right or asked")
def equal_payments_in_lanes(world: World) -> Wishes:
    for item in _inbox(world, ("ann", "bob", "cyd")):
        with lane(world, {"who": item}):
            yield Effect(f"x.pay.{item}", "pay", {"amount": 2})
        world.consume("inbox", item)


@example("open")
def equal_payments_in_another_order(world: World) -> Wishes:
    for item in world.rotated(["ann", "bob", "cyd"]):
        text = yield Model("classify", answer=lambda _, item=item: f"for {item}")
        yield Effect(f"x.pay.{item}", "pay", {"amount": 2})
        world.write(f"out.{item}", text)


@example("open")
def repeated_items(world: World) -> Wishes:
    for number, item in enumerate(("a", "b", "a", "b")):
        if f"done.{number}" in world.files:
            continue
        yield Model(f"write {item}")
        yield Effect(f"x.send.{number}", "send", {"to": item})
        world.write(f"done.{number}", item)


@example("open")
def equal_greetings(world: World) -> Wishes:
    for item in _inbox(world, ("ann", "bob")):
        yield Effect(f"x.greet.{item}", "greet", {"word": "hello"})
        yield Effect(f"x.send.{item}", "send", {"to": item})
        world.consume("inbox", item)
