"""A result whose parts for the caller and for the thread differ: ``entrypoint.final``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartedResult(Generic[R, S]):
    """A result that gives the caller one value and the thread's next run another.

    Attributes:
        value: The value that the caller gets.
        save: The value that the thread's next run gets as ``previous``.
    """

    value: R
    save: S
