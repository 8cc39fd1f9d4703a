"""Amounts as people write them: durations, money, tokens, rates."""

from __future__ import annotations

import math
import re
from typing import Any, Literal, NamedTuple

from ..limits import Budget, RatePolicy

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_AMOUNT = re.compile(
    r"(?P<dollar>\$)?\s*(?P<number>\d[\d_]*(?:\.\d+)?)\s*(?P<scale>[kM])?\s*(?P<unit>[A-Za-z]*)"
)
_SCALES = {None: 1, "k": 1_000, "M": 1_000_000}
_UNITS: dict[str, Literal["usd", "tokens"]] = {
    "usd": "usd",
    "tok": "tokens",
    "token": "tokens",
    "tokens": "tokens",
}
_RATE = re.compile(r"(?P<number>\d[\d_]*)\s*(?P<scale>[kM])?\s*(?P<unit>[a-z]*)(?:/(?P<per>.+))?")
_RATE_UNITS = {
    "rpm": ("requests", 60.0),
    "rps": ("requests", 1.0),
    "rph": ("requests", 3600.0),
    "tpm": ("tokens", 60.0),
    "tps": ("tokens", 1.0),
    "tph": ("tokens", 3600.0),
}
_PERS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86_400.0}


class Amount(NamedTuple):
    """A number, and what it counts if that was said."""

    value: float
    unit: Literal["usd", "tokens", ""]


def duration(said: Any) -> float:
    """Return the seconds that a text such as ``"1h30m"``, or a number of seconds, stands for.

    Raises:
        ValueError: It is no duration, or none that is longer than nothing.
    """
    if isinstance(said, int | float) and not isinstance(said, bool):
        seconds = float(said)
    elif isinstance(said, str) and re.fullmatch(rf"(?:{_DURATION.pattern}\s*)+", said.strip()):
        seconds = sum(float(n) * _SECONDS[unit] for n, unit in _DURATION.findall(said))
    else:
        raise ValueError(f'{said!r} is no duration; write "30s", "5m", "1h30m" or seconds')
    if not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(f"a duration must be more than 0, not {said!r}")
    return seconds


def amount(said: Any) -> Amount:
    """Return what a text such as ``"2 USD"``, ``"$2"`` or ``"200ktok"``, or a number, stands for.

    Raises:
        ValueError: It is no amount, or none that is more than nothing.
    """
    if isinstance(said, int | float) and not isinstance(said, bool):
        found = Amount(float(said), "")
    else:
        found = _amount(said)
    if not (found.value > 0 and math.isfinite(found.value)):
        raise ValueError(f"an amount must be more than 0, not {said!r}")
    return found


def _amount(said: Any) -> Amount:
    parts = _AMOUNT.fullmatch(said.strip()) if isinstance(said, str) else None
    unit = parts["unit"].lower() if parts else ""
    if parts is None or (unit and unit not in _UNITS) or (parts["dollar"] and unit):
        raise ValueError(f'{said!r} is no amount; write "2 USD", "$2" or "200k tokens"')
    value = float(parts["number"].replace("_", "")) * _SCALES[parts["scale"]]
    return Amount(value, "usd" if parts["dollar"] else _UNITS.get(unit, ""))


def budget(said: str) -> Budget:
    """Return what a text such as ``"2USD"`` or ``"thread:200ktok"`` stands for.

    Raises:
        ValueError: It is no budget.
    """
    scope, colon, rest = said.partition(":")
    if colon and scope not in ("run", "thread"):
        raise ValueError(f'{said!r}: a budget is for a "run" or a "thread", not for {scope!r}')
    found = amount(rest if colon else said)
    whose: Literal["run", "thread"] = "thread" if colon and scope == "thread" else "run"
    if found.unit == "tokens":
        return Budget(tokens=int(found.value), scope=whose)
    if found.unit == "usd":
        return Budget(usd=found.value, scope=whose)
    raise ValueError(f'{said!r} does not say of what; write "2USD" or "200ktok"')


def rate(said: str, name: str = "") -> RatePolicy:
    """Return what a text such as ``"60rpm,90ktpm"`` or ``"5/s"`` stands for.

    Raises:
        ValueError: It is no rate, or its parts do not go together.
    """
    found: dict[str, int] = {}
    pers: set[float] = set()
    for part in said.split(","):
        what, count, per = _rate(part.strip())
        if what in found:
            raise ValueError(f"{said!r} limits {what} twice")
        found[what] = count
        pers.add(per)
    if len(pers) > 1:
        raise ValueError(f"{said!r}: all parts of a rate must be for the same time")
    return RatePolicy(**found, per=pers.pop(), name=name)


def _rate(part: str) -> tuple[str, int, float]:
    parts = _RATE.fullmatch(part)
    if parts is not None:
        count = int(parts["number"].replace("_", "")) * _SCALES[parts["scale"]]
        unit, per = parts["unit"], parts["per"]
        if unit in _RATE_UNITS and per is None:
            return _RATE_UNITS[unit][0], count, _RATE_UNITS[unit][1]
        if per is not None and unit in ("", "tok", "tokens", "requests"):
            what = "tokens" if unit.startswith("tok") else "requests"
            return what, count, _PERS[per] if per in _PERS else duration(per)
    raise ValueError(f'{part!r} is no rate; write "60rpm", "90ktpm", "5/s" or "1000/h"')
