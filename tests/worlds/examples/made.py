"""Programs whose processes differ in nothing but text that they made themselves: no question."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import tempfile
import threading
import time
import uuid

from durably import interrupt, task
from durably.adapting import Call, live_scope

from ..blocks.block import Wanted
from ..calls import Effect, Model, Wishes, lane, reply_to
from ..world import World
from .example import example

JOBS = ("tea", "milk")


def _now() -> dt.datetime:
    return dt.datetime.now()  # noqa: DTZ005 - as most programs do


def _send(what: str, **args: object) -> Effect:
    return Effect(f"x.send.{what}", "send", {"to": what, **args})


@example("right")
def now_in_a_prompt(world: World) -> Wishes:
    for job in JOBS:
        yield Model(f"Write about {job}.", f"It is {_now().isoformat()}.")
        yield _send(job)


@example("right")
def date_in_words(world: World) -> Wishes:
    now = _now()
    for job in JOBS:
        yield Model(f"Write about {job}.", f"Today is {now:%A, %B %d, %Y, %H:%M:%S}.")
        yield _send(job)


@example("right")
def epoch_and_pid(world: World) -> Wishes:
    for job in JOBS:
        yield Model(job, f"[pid={os.getpid()}] {time.time()}")
        yield _send(job)


@example("right")
def session_id(world: World) -> Wishes:
    session = uuid.uuid4()
    for job in JOBS:
        yield Model(job, f"Session {session}:")
        yield _send(job)


@example("right")
def short_session_id(world: World) -> Wishes:
    session = uuid.uuid4().hex[:8]
    for job in JOBS:
        yield Model(job, f"Session {session}:")
        yield _send(job)


@example("right", noise=("key",))
def idempotency_key(world: World) -> Wishes:
    for job in JOBS:
        yield Effect(f"x.pay.{job}", "pay", {"to": job, "amount": 2, "key": str(uuid.uuid4())})


@example("right", noise=("path",))
def temporary_path(world: World) -> Wishes:
    with tempfile.TemporaryDirectory() as folder:
        for job in JOBS:
            yield Effect(f"x.save.{job}", "save", {"path": f"{folder}/{job}.txt", "what": job})
            yield Model(f"saved {job}")


@example("right")
def seconds_taken(world: World) -> Wishes:
    began = time.perf_counter()
    for job in JOBS:
        yield Model(job, f"The search took {time.perf_counter() - began:.6f} seconds.")
        yield _send(job)


@example("right", noise=("at",))
def time_among_arguments(world: World) -> Wishes:
    for job in JOBS:
        yield Effect(f"x.log.{job}", "log", {"what": job, "at": _now().isoformat()})
        yield Model(job)


@example("right")
def time_in_inputs(world: World) -> Wishes:
    for job in JOBS:
        given = {"topic": job, "now": _now().isoformat()}
        with lane(world, given):
            yield Model(job, str(given))
            yield _send(job)


@example("right")
def id_in_inputs(world: World) -> Wishes:
    for job in JOBS:
        given = {"topic": job, "id": str(uuid.uuid4())}
        with lane(world, given):
            yield Model(job, str(given))
            yield _send(job)


@example("right", is_plain=True)
def times_side_by_side(world: World) -> Wishes:
    scope = live_scope()
    assert scope is not None
    found: dict[str, str] = {}

    def one(name: str) -> None:
        with scope.entered():
            call = Call("model", "m", [f"{_now().isoformat()} {name}"])
            found[name] = scope.step(call, lambda: f"<{name}>")

    names = ["a", "b", "c"] if world.process % 2 == 0 else ["c", "b", "a"]
    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.check()
    yield _send(str(sorted(found.items())))


@example("right")
def text_of_a_dictionary(world: World) -> Wishes:
    yield Model("count", json.dumps(dict.fromkeys(world.rotated("abc"), 1)))
    yield _send("all")
    yield _send("end")


@example("right")
def dictionary_among_arguments(world: World) -> Wishes:
    yield _send("all", table=dict.fromkeys(world.rotated("abc"), 1))
    yield _send("end")


@example("right")
def rounded_time(world: World) -> Wishes:
    yield Model("write", f"It is about {_now():%H:%M}.")
    yield _send("one")
    yield _send("end")


@example("right", noise=("at",))
def deadline_tomorrow(world: World) -> Wishes:
    at = (_now() + dt.timedelta(days=1)).isoformat()
    yield Model("remind", f"The deadline is {at}.")
    yield Effect("x.remind", "remind", {"at": at, "what": "x"})
    yield _send("end")


@example("right", noise=("key",))
def host_and_pid_among_arguments(world: World) -> Wishes:
    yield Effect("x.lock", "lock", {"key": f"{platform.node()}:{os.getpid()}", "what": "x"})
    yield _send("end")


_PUBLISHED = {
    "x.send.tea": Wanted("send", {"to": "tea", "said": reply_to("Publish tea?")}),
}


@example("right", is_plain=True, wanted=_PUBLISHED)
def answer_inside_a_task_that_is_told_the_time(world: World) -> Wishes:
    @task
    def review(at: str, what: str) -> str:
        del at
        return str(interrupt(f"Publish {what}?"))

    said = review(_now().isoformat(), "tea").result()
    yield _send("tea", said=said)
