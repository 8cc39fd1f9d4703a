"""Programs in which something differs of which nobody can say whether it matters."""

from __future__ import annotations

import random

from ..calls import Effect, Model, Together, Wishes
from ..world import World
from .example import example

JOBS = ("tea", "milk")


def _send(what: str, **args: object) -> Effect:
    return Effect(f"x.send.{what}", "send", {"to": what, **args})


@example("right")
def weather(world: World) -> Wishes:
    for job in JOBS:
        yield Model(job, f"It is {12 + world.process} degrees.")
        yield _send(job)


@example("right")
def rate_of_exchange(world: World) -> Wishes:
    rate = 1.0843 + world.process / 1000
    for job in JOBS:
        yield Model(f"Buy {job}?", f"EUR/USD {rate:.4f}.")
        yield _send(job)


@example("right")
def greeting(world: World) -> Wishes:
    hello = ("Hi", "Hello", "Dear all")[world.process % 3]
    for job in JOBS:
        yield Model(f"write about {job}", f"{hello},")
        yield _send(job)


@example("right")
def counter_in_a_file(world: World) -> Wishes:
    for job in JOBS:
        world.write("count", world.files.get("count", 0) + 1)
        yield Model(job, f"Request {world.files['count']}:")
        yield _send(job)


@example("right")
def shuffled_list(world: World) -> Wishes:
    yield Model("sum up", str(world.rotated(["tea", "milk", "salt"])))
    yield _send("all")
    yield Model("end")
    yield _send("end")


@example("right")
def list_of_files(world: World) -> Wishes:
    for job in JOBS:
        yield Model(f"write {job}.txt", f"files: {sorted(world.files)};")
        yield _send(job)
        world.write(f"{job}.txt", job)


@example("right")
def place_and_host(world: World) -> Wishes:
    for job in JOBS:
        yield Model(job, f"In /srv/job-{world.process} on web-{world.process}:")
        yield _send(job)


@example("right")
def random_seed(world: World) -> Wishes:
    seed = random.Random(world.process).random()
    for job in JOBS:
        yield Model(job, f"Seed {seed}:")
        yield _send(job)


@example("right or asked", noise=("key",))
def key_of_unknown_origin(world: World) -> Wishes:
    for job in JOBS:
        key = random.Random(f"{world.process}{job}").randbytes(3).hex()
        yield Effect(f"x.pay.{job}", "pay", {"to": job, "amount": 2, "key": key})


# Three calls whose only argument is a random number: no person can tell which is the recorded one.
@example("open", noise=("x",))
def random_arguments_side_by_side(world: World) -> Wishes:
    drawn = {n: random.Random(f"{world.process}{n}").random() for n in range(3)}
    yield Together([Effect(f"x.post.{n}", "post", {"x": x}, "task") for n, x in drawn.items()])
    yield _send("end")


@example("right or asked", noise=("price",))
def price_of_an_order(world: World) -> Wishes:
    yield Effect("x.order", "order", {"what": "tea", "price": 100 + world.process})
    yield _send("end")


@example("right or asked", noise=("text",))
def model_that_words_it_otherwise(world: World) -> Wishes:
    for job in JOBS:
        degrees = f"{12 + world.process} degrees"
        text = yield Model(job, degrees, answer=lambda world: f"text {world.paid}")
        yield _send(job, text=text)


@example("right or asked", noise=("when",))
def branch_by_the_clock(world: World) -> Wishes:
    when = "morning" if world.process == 0 else "evening"
    yield Model(f"{when} mail")
    yield Effect("x.mail", "mail", {"when": when})
    yield Model("end")
    yield _send("end")
