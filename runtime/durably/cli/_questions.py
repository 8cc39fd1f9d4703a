"""Open questions in words, and the commands that answer them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ._journals import store_arguments
from ._wording import one_line


def text_of(question: Any, limit: int = 0) -> str:
    """Return what a question asks, on one line."""
    if not isinstance(question, Mapping):
        return one_line(str(question), limit)
    message, name, args = (question.get(part) for part in ("message", "name", "args"))
    if message:
        return one_line(str(message), limit)
    if name and isinstance(args, Mapping):
        shown = ", ".join(f"{key}={value!r}" for key, value in args.items())
        return one_line(f"{name}({shown})", limit)
    return one_line(str(name or dict(question)), limit)


def allowed(question: Any) -> Sequence[str] | None:
    """Return the decisions that a question takes, or None if it takes any answer."""
    found = question.get("allowed") if isinstance(question, Mapping) else None
    return [str(one) for one in found] if isinstance(found, list | tuple) else None


def commands_for(question: Any, identity: str, store: str) -> list[str]:
    """Return the command lines by which a question can be answered."""
    verbs = allowed(question)
    where = shlex.join(store_arguments(store))
    begin = f"{where} " if where else ""
    if verbs is None:
        return [f'durably respond {begin}{identity} "…"']
    endings = {
        "approve": f"durably approve {begin}{identity}",
        "edit": f"durably approve {begin}{identity} --set NAME=VALUE",
        "respond": f'durably respond {begin}{identity} "…"',
        "reject": f'durably reject {begin}{identity} -m "…"',
    }
    return [line for verb, line in endings.items() if verb in verbs]
