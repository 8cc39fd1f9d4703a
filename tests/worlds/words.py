"""Names of items in many forms, and text that differs from process to process."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import secrets
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping

from .world import World

_WORDS = ("ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ida", "joe", "kim", "leo", "mia")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("March", "April", "May", "June", "August")


def _now() -> dt.datetime:
    """Return the time as most programs ask for it: without a zone."""
    return dt.datetime.now()  # noqa: DTZ005


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _date(rng: random.Random) -> str:
    return (dt.date(2026, 1, 1) + dt.timedelta(days=rng.randrange(400))).isoformat()


def _day_around_today(rng: random.Random) -> str:
    return (_now().date() + dt.timedelta(days=rng.randrange(-4, 5))).isoformat()


FORMS: Mapping[str, Callable[[random.Random], object]] = {
    "words": lambda rng: rng.choice(_WORDS),
    "uuids": _uuid,
    "dates": _date,
    "days around today": _day_around_today,
    "hex ids": lambda rng: hashlib.sha1(str(rng.random()).encode()).hexdigest(),
    "short hex ids": lambda rng: f"{rng.getrandbits(32):08x}",
    "numbers": lambda rng: rng.randrange(1_700_000_000, 1_760_000_000),
    "small numbers": lambda rng: rng.randrange(1, 60),
    "weekdays": lambda rng: rng.choice(_DAYS),
    "times of day": lambda rng: f"{rng.randrange(24):02d}:{rng.choice((0, 15, 30, 45)):02d}",
    "durations": lambda rng: f"{rng.randrange(1, 60)} minutes",
    "days of a month": lambda rng: f"{rng.choice(_MONTHS)} {rng.randrange(1, 29)}",
    "phone numbers": lambda rng: f"+49 {rng.randrange(10**9, 10**10)}",
    "chapters": lambda rng: f"chapter {rng.randrange(1, 60)}",
    "temporary folders": lambda rng: f"/tmp/tmp{rng.getrandbits(40):08x}",
    "moments": lambda rng: f"{_date(rng)}T{rng.randrange(24):02d}:{rng.randrange(60):02d}:07.25",
}
"""Forms of names: how one name is drawn."""

MADE_IDS = "ids that an earlier process made"
"""A form whose names are made by ``uuid4`` in the first process and kept in the world."""


_TRIES = 200


def names(form: str, count: int, rng: random.Random, taken: set[object]) -> list[object]:
    """Return so many names of a form that were not *taken*, and take them."""
    if form == MADE_IDS:
        return [f"{MADE_IDS} {n}" for n in range(count)]
    found: list[object] = []
    for tried in range(10 * _TRIES):
        if len(found) == count:
            break
        drawn = FORMS[form if tried < _TRIES else "uuids"](rng)  # there are seven weekdays only
        if drawn not in taken:
            taken.add(drawn)
            found.append(drawn)
    return found


def _temporary(_: World) -> str:
    with tempfile.NamedTemporaryFile() as file:
        return file.name


MADE: Mapping[str, Callable[[World], str]] = {
    "uuid4": lambda _: str(uuid.uuid4()),
    "uuid4 hex": lambda _: uuid.uuid4().hex,
    "short uuid4": lambda _: uuid.uuid4().hex[:8],
    "uuid1": lambda _: str(uuid.uuid1()),
    "token_hex": lambda _: secrets.token_hex(8),
    "temporary file": _temporary,
    "now": lambda _: _now().isoformat(),
    "now in UTC": lambda _: dt.datetime.now(dt.UTC).isoformat(),
    "now in words": lambda _: f"{_now():%A, %B %d, %Y, %H:%M:%S}",
    "epoch": lambda _: str(time.time()),
    "epoch in ms": lambda _: str(int(time.time() * 1000)),
    "today": lambda _: _now().date().isoformat(),
    "process id": lambda _: f"pid={os.getpid()}",
    "tomorrow": lambda _: (_now() + dt.timedelta(days=1)).isoformat(),
    "address": lambda _: repr(object()),
}
"""Text that a process makes by itself: a difference in it is none."""


def _weather(world: World) -> str:
    return f"{12 + world.process} degrees"


UNKNOWN: Mapping[str, Callable[[World], str]] = {
    "weather": _weather,
    "rate": lambda world: f"EUR/USD {1.0843 + world.process / 1000:.4f}",
    "greeting": lambda world: ("Hi", "Hello", "Dear all")[world.process % 3],
    "random number": lambda world: str(world.drawn("n").random()),
    "random bytes": lambda world: world.drawn("b").randbytes(4).hex(),
    "working directory": lambda world: f"/srv/job-{world.process}",
    "how many files": lambda world: f"{len(world.files)} files",
    "paid calls": lambda world: f"{world.paid} calls so far",
}
"""Text that differs between processes, where nothing tells whether that matters."""
