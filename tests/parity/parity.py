"""``@parity``: a program becomes a test that runs it on LangGraph and on durably."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from difflib import unified_diff
from pprint import pformat
from typing import Any

from tests.parity import sides
from tests.parity.transcript import Say

Program = Callable[[Any, Say], Any]


def parity(program: Program) -> Callable[[], None]:
    """Make a test of *program*: both sides must have the same to say.

    Args:
        program: A function, or coroutine function, of a side's names and of what it says.
    """

    def test() -> None:
        expected = transcript(program, sides.langgraph())
        assert expected, "the program says nothing"
        found = transcript(program, sides.durably())
        assert found == expected, _compared(expected, found)

    test.__name__ = program.__name__
    test.__doc__ = program.__doc__
    test.__module__ = program.__module__
    return test


def _compared(langgraph: list[Any], durably: list[Any]) -> str:
    one, other = (pformat(lines, width=100).splitlines() for lines in (langgraph, durably))
    return "\n".join(["", *unified_diff(one, other, "langgraph", "durably", lineterm="", n=2)])


def transcript(program: Program, side: Any) -> list[Any]:
    """Return what *program* says on one side."""
    say = Say(side.name)
    if inspect.iscoroutinefunction(program):
        asyncio.run(program(side, say))
    else:
        program(side, say)
    return say.lines


def thread(name: str = "t") -> dict[str, Any]:
    """Return the config that names a thread."""
    return {"configurable": {"thread_id": name}}
