"""What a measurement asserts of its results, so that a broken fast path cannot win."""

from __future__ import annotations

from typing import Any


class WrongResultError(Exception):
    """A library returned something else than the program computes, or executed too little."""


def expect(found: Any, expected: Any, what: str) -> None:
    """Raise unless *found* is what was expected."""
    if found != expected:
        raise WrongResultError(f"{what}: {_short(found)} instead of {_short(expected)}")


def sum_of_steps(count: int) -> int:
    """Return what *count* steps add up to, each of which adds one to its number."""
    return count * (count + 1) // 2


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 100 else f"{text[:100]}…"
