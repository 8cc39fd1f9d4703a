"""Programs that survive failures, or ask for the same thing again."""

from __future__ import annotations

import contextlib

from ..calls import Effect, Model, Wishes, lane
from ..world import Outage, World
from .example import example


@example("right")
def equal_attempts(world: World) -> Wishes:
    for who in ("ann", "bob"):
        for _ in range(3):
            try:
                yield Effect(f"x.pay.{who}", "pay", {"to": who}, service=who, failures=2)
            except Outage:
                continue
            break


@example("right", noise=("status",))
def status_that_is_read_again(world: World) -> Wishes:
    def status(world: World) -> str:
        world.files["status"] = world.files.get("status", 0) + 1
        return str(world.files["status"])

    while (found := (yield Model("read status", answer=status))) < "3":
        pass
    yield Effect("x.end", "end", {"status": found})


def _first(world: World) -> Wishes:
    with lane(world, {"way": 1}):
        yield Model("first way", service="first", failures=1)
        yield Effect("x.mail", "mail", {"to": "all"})
    return "by mail"


def _second(world: World) -> Wishes:
    with lane(world, {"way": 2}):
        yield Model("second way")
        yield Effect("x.mail", "mail", {"to": "office"})
    return "by hand"


def _booked(world: World, how: str) -> Wishes:
    yield Effect("x.book", "book", {"how": how})
    world.write("how", how)
    assert world.done("x.mail")[-1].args["to"] == ("all" if how == "by mail" else "office")
    yield Effect("x.end", "end", {})


@example("right", noise=("to", "how"))
def another_way(world: World) -> Wishes:
    how = None
    with contextlib.suppress(Outage):
        how = yield from _first(world)
    if how is None:
        how = yield from _second(world)
    yield from _booked(world, how)


@example("right", noise=("to", "how"))
def another_way_inside_except(world: World) -> Wishes:
    try:
        how = yield from _first(world)
    except Outage:
        how = yield from _second(world)
    yield from _booked(world, how)
