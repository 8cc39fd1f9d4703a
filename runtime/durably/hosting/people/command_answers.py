"""What a ``Command(resume=…)`` answers: the one open question, or several by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ...errors import ResumeError
from ...types import Command, RunView
from ..host import Host


def answers_of(host: Host, view: RunView, command: Command) -> Mapping[str, Any]:
    """Return the command's answers by interrupt id."""
    value = command.resume
    if value is None:
        raise ResumeError("Command() says nothing; give Command(resume=…) an answer")
    if isinstance(value, Mapping) and value and all(map(_is_id, value)):
        return cast("Mapping[str, Any]", value)  # refused one by one, each with its reason
    if not view.open:
        raise ResumeError(
            f"run {view.run} on thread {view.thread!r} waits for no answer (it is {view.status})"
        )
    if len(view.open) > 1:
        asked = "; ".join(f"{one.id}: {one.value!r}" for one in host.questions(view))
        raise ResumeError(
            f"run {view.run} waits for {len(view.open)} answers; give Command(resume={{id: answer, "
            f"…}}). Open questions: {asked}"
        )
    return {view.open[0]: value}


def _is_id(key: object) -> bool:
    return isinstance(key, str) and len(key) == 32 and not set(key) - set("0123456789abcdef")  # noqa: PLR2004 - as in engine/_asking
