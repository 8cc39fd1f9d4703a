"""Answers in any client's words, made into one decision; what is not clearly one is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from ..errors import AnswerRefused
from ..types import Decision

_WORDS: Mapping[Any, Decision] = {
    "approve": "approve",
    "accept": "approve",
    "edit": "edit",
    "reject": "reject",
    "ignore": "reject",
    "respond": "respond",
    "response": "respond",
}
_CANCELLED = "cancelled"


def decision_of(answer: Any) -> dict[str, Any]:
    """Return an answer as ``{"type": verb, …}``, whoever's words it is in.

    Understood are durably's own answers, LangChain's decisions and ``HITLResponse`` with one of
    them, Agent Inbox's ``HumanResponse`` and AG-UI's ``ResumeEntry``. Nothing is guessed: ``True``,
    ``"yes"``, ``{}``, an edit without arguments or an answer without a decision are refused.

    Raises:
        AnswerRefused: It does not say clearly what is meant.

    Example:
        >>> decision_of({"decisions": [{"type": "approve"}]})
        {'type': 'approve'}
        >>> decision_of([{"type": "ignore", "args": None}])
        {'type': 'reject'}
    """
    fields = _unpacked(answer)
    if is_resume_entry(fields):
        return _resumed(fields)
    if "approved" in fields and "type" not in fields:
        return _approved(fields)
    kind = fields.get("type")
    verb = _WORDS.get(kind) if isinstance(kind, str) else None
    if verb is None:
        raise _unclear(answer)
    return _READ[verb](fields)


def _unpacked(answer: Any) -> Mapping[str, Any]:
    """Return the one decision in what a client sent around it."""
    said = answer
    if isinstance(said, list) and len(said) == 1:
        said = said[0]  # Agent Inbox answers with a list
    if isinstance(said, Mapping) and "decisions" in said:
        said = _only_decision(said["decisions"])
    if said in ("approve", "reject"):
        said = {"type": said}
    if not isinstance(said, Mapping):
        raise _unclear(answer)
    return cast("Mapping[str, Any]", said)


def is_resume_entry(answer: Mapping[str, Any]) -> bool:
    """Say whether an answer is an AG-UI ``ResumeEntry``."""
    has_id = "interruptId" in answer or "interrupt_id" in answer
    only = answer.keys() <= {"status", "payload", "metadata"} and "type" not in answer
    return answer.get("status") in ("resolved", _CANCELLED) and (has_id or only)


def _only_decision(found: Any) -> Any:
    if isinstance(found, list) and len(found) == 1:
        return found[0]
    count = len(found) if isinstance(found, list) else "no list of"
    raise AnswerRefused(f"one decision is needed, and there are {count} decisions", "unclear")


def _resumed(entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry["status"] == _CANCELLED:
        return {"type": "reject", "message": "cancelled by the reviewer"}
    payload = entry.get("payload")
    if isinstance(payload, Mapping) and ("approved" in payload or "type" in payload):
        return decision_of(payload)
    raise _unclear(dict(entry))


def _approved(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Read AG-UI's ``{approved, editedArgs?, reason?, response?}``."""
    approved = payload["approved"]
    if approved is True and "response" not in payload:
        if "editedArgs" not in payload:
            return {"type": "approve"}
        if isinstance(payload["editedArgs"], Mapping):
            return {"type": "edit", "args": dict(payload["editedArgs"])}
    if approved is False and "editedArgs" not in payload:
        if "response" in payload:
            return {"type": "respond", "message": payload["response"]}
        return _rejected(payload.get("reason"))
    raise _unclear(dict(payload))


def _edited(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return an edit; ``name`` says which call the client believes to have edited, if it does."""
    found = said.get("edited_action", said.get("args"))
    more: dict[str, Any] = {}
    if "edited_action" in said or _is_action(found):
        action = found if isinstance(found, Mapping) else {}
        found = action.get("args")
        more = {"name": action.get("name", action.get("action"))}
    if not isinstance(found, Mapping):
        raise AnswerRefused("an edit needs the new arguments as 'args'", "unclear")
    return {"type": "edit", "args": dict(found), **more}


def _is_action(found: Any) -> bool:
    """Tell Agent Inbox's ``{"action": …, "args": {…}}`` from arguments."""
    if not isinstance(found, Mapping) or {*found} != {"action", "args"}:
        return False
    return isinstance(found["action"], str) and isinstance(found["args"], Mapping)


def _responded(said: Mapping[str, Any]) -> dict[str, Any]:
    for source, target in (("message", "message"), ("value", "value"), ("args", "message")):
        if said.get(source) is not None:
            return {"type": "respond", target: said[source]}
    raise AnswerRefused("a response needs a 'message' or a 'value'", "unclear")


def _rejected(message: Any) -> dict[str, Any]:
    return {"type": "reject", "message": str(message)} if message else {"type": "reject"}


_READ: Mapping[Decision, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "approve": lambda _: {"type": "approve"},
    "edit": _edited,
    "reject": lambda said: _rejected(said.get("message")),
    "respond": _responded,
}


def _unclear(answer: Any) -> AnswerRefused:
    return AnswerRefused(f"{answer!r} is no clear decision", "unclear")
