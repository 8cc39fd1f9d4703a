"""``entrypoint.final``: a result whose parts for the caller and for the thread differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class final(Generic[R, S]):  # noqa: N801 - the name is LangGraph's
    """A result that gives the caller one value and the thread's next run another.

    Programs write ``entrypoint.final(value=…, save=…)``, as in LangGraph's Functional API.

    Attributes:
        value: The value that the caller gets.
        save: The value that the thread's next run gets as ``previous``.
    """

    value: R
    save: S


final.__qualname__ = "entrypoint.final"
