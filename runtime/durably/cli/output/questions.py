"""Open questions in words, and the commands that answer them."""

from __future__ import annotations

import shlex
from typing import Any

from ...people import Question, described, question_of
from ...types import Interrupt
from ..journal_location import store_arguments
from .text import one_line


def text_of(question: Any, limit: int = 0) -> str:
    """Return what a question's value asks, on one line."""
    return words_of(question_of(Interrupt(question, "")), limit)


def words_of(question: Question, limit: int = 0) -> str:
    """Return what a question asks, on one line."""
    return one_line(described(question), limit)


def commands_for(question: Question, identity: str, store: str) -> list[str]:
    """Return the command lines by which a question can be answered."""
    where = shlex.join(store_arguments(store))
    begin = f"{where} " if where else ""
    if question.is_secret:
        return ["run the program again at a terminal, and type it there"]
    if question.dialect == "hitl_batch":
        return [f"durably respond {begin}{identity} --json-value '{{\"decisions\": […]}}'"]
    if not question.allowed:
        return [f'durably respond {begin}{identity} "…"']
    endings = {
        "approve": f"durably approve {begin}{identity}",
        "edit": f"durably approve {begin}{identity} --set NAME=VALUE",
        "respond": f'durably respond {begin}{identity} "…"',
        "reject": f'durably reject {begin}{identity} -m "…"',
    }
    return [line for verb, line in endings.items() if verb in question.allowed]
