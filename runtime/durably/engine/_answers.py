"""Which answers fit a question; anything ambiguous is refused before it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..errors import ResumeError
from ..types import Decision


def fitting(question: Any, answer: Any, interrupt: str) -> Any:
    """Return *answer* in the form in which it is recorded.

    A question that names the decisions it allows (``allowed``) takes ``{"type": verb, …}``, or the
    bare verb where it needs nothing more. Any other question takes any value.

    Raises:
        ResumeError: The answer does not say clearly which of the allowed decisions it is.
    """
    allowed = question.get("allowed") if isinstance(question, Mapping) else None
    if not isinstance(allowed, list | tuple):
        return answer
    said = {"type": answer} if isinstance(answer, str) else answer
    verb = said.get("type") if isinstance(said, Mapping) else None
    if verb not in allowed:
        raise ResumeError(
            f"interrupt {interrupt}: {answer!r} is no clear decision. "
            f"Answer with one of {', '.join(map(str, allowed))}, "
            'for example {"type": "' + str(allowed[0]) + '"}.'
        )
    fields = dict(cast("Mapping[str, Any]", said))
    if verb == "edit" and not isinstance(fields.get("args"), Mapping):
        raise ResumeError(f"interrupt {interrupt}: an edit needs the new arguments as 'args'.")
    if verb == "respond" and "message" not in fields and "value" not in fields:
        raise ResumeError(f"interrupt {interrupt}: a response needs a 'message' or a 'value'.")
    return fields


def decision(answer: Mapping[str, Any]) -> tuple[Decision, Any]:
    """Split a recorded decision into its verb and what comes with it."""
    verb: Decision = answer["type"]
    if verb == "edit":
        return verb, answer["args"]
    return verb, answer.get("value", answer.get("message"))
