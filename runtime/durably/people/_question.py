"""The native pending record: what one question to a person holds, whoever asked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast, get_args

from ..types import Decision, Interrupt

QuestionKind: TypeAlias = Literal["tool_call", "input_required", "confirmation"]
"""What is wanted: a decision about a call, an input, or a yes or no."""

Dialect: TypeAlias = Literal[
    "native", "tool_approval", "hitl", "hitl_batch", "human_interrupt", "plain"
]
"""Who asked: durably, LangChain (per call, one in a batch, several), Agent Inbox, any program."""

VERBS: tuple[Decision, ...] = get_args(Decision)
"""Every decision there is, in the order in which they are offered."""

_KINDS: tuple[QuestionKind, ...] = get_args(QuestionKind)
_INBOX_FLAGS: Mapping[Decision, str] = {
    "approve": "allow_accept",
    "edit": "allow_edit",
    "reject": "allow_ignore",
    "respond": "allow_respond",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question that a run asked a person: one call, one input, one confirmation.

    Attributes:
        id: Stable across processes; an answer names it.
        kind: What is wanted.
        name: The tool's name, or what asks.
        message: What a person is shown.
        args: The proposed call's arguments; None if no call is proposed.
        args_schema: JSON schema of the arguments, if it is known.
        allowed: The decisions that an answer may be; empty if any value is an answer.
        response_schema: JSON schema of an answer that is a value, if it is known.
        expires_at: Seconds since the epoch at which *default* is taken; None: it waits for ever.
        default: The decision taken then.
        is_secret: Whether the answer is a secret, which is typed at a terminal and never kept.
        tool_call_id: The model's id of the call, if it has one.
        version: The journal's number of what is asked now. An answer that names another one is
            refused: its author saw something else.
        run: The run that waits.
        thread: The run's thread.
        entry: What was started.
        asked_at: Seconds since the epoch.
        dialect: Whose words *value* is in; an answer is handed to the program in the same.
        value: The question as it was asked.
    """

    id: str
    kind: QuestionKind = "input_required"
    name: str = ""
    message: str = ""
    args: Mapping[str, Any] | None = None
    args_schema: Mapping[str, Any] | None = None
    allowed: tuple[Decision, ...] = ()
    response_schema: Any = None
    expires_at: float | None = None
    default: Mapping[str, Any] | None = None
    is_secret: bool = False
    tool_call_id: str | None = None
    version: int = 0
    run: str = ""
    thread: str = ""
    entry: str = ""
    asked_at: float = 0.0
    dialect: Dialect = "plain"
    value: Any = field(default=None, repr=False)


def question_of(interrupt: Interrupt, **place: Any) -> Question:
    """Return a recorded interrupt as the native record.

    Reads durably's own questions and those of LangChain's human-in-the-loop middleware (per call,
    or a batch of one) and of programs written for Agent Inbox. Anything else is a question in the
    program's own words, to which any value is an answer.

    Args:
        interrupt: The interrupt.
        **place: Fields of :class:`Question` that the journal knows: ``version``, ``run`` …

    Example:
        >>> asked = {"kind": "tool_call", "name": "refund", "args": {}, "allowed": ["approve"]}
        >>> question_of(Interrupt(asked, "ab12")).allowed
        ('approve',)
    """
    value = interrupt.value
    dialect, parts = _read(value)
    parts.setdefault("response_schema", interrupt.response_schema)
    return Question(id=interrupt.id, dialect=dialect, value=value, **parts, **place)


def is_native(value: Any) -> bool:
    """Say whether a question's value is durably's own record: it has a kind, or names decisions."""
    if not isinstance(value, Mapping):
        return False
    allowed = value.get("allowed", ())
    if not isinstance(allowed, list | tuple) or any(one not in VERBS for one in allowed):
        return False
    return value.get("kind") in _KINDS or ("kind" not in value and bool(allowed))


def _read(value: Any) -> tuple[Dialect, dict[str, Any]]:
    if isinstance(value, Mapping):
        known = cast("Mapping[str, Any]", value)
        if is_native(known):
            return "native", _native(known)
        if known.get("type") == "tool_approval" and isinstance(known.get("args"), Mapping):
            return "tool_approval", _tool_approval(known)
        requests = known.get("action_requests")
        if isinstance(requests, list) and requests and isinstance(requests[0], Mapping):
            return ("hitl", _hitl(known)) if len(requests) == 1 else ("hitl_batch", _batch(known))
    alone = _only(value) if isinstance(value, list) else value
    if isinstance(alone, Mapping) and isinstance(alone.get("action_request"), Mapping):
        return "human_interrupt", _human_interrupt(cast("Mapping[str, Any]", alone))
    return "plain", {"message": _words(value)}


def _native(value: Mapping[str, Any]) -> dict[str, Any]:
    args = value.get("args")
    parts: dict[str, Any] = {
        "kind": value.get("kind") or ("confirmation" if args is None else "tool_call"),
        "name": str(value.get("name") or ""),
        "message": str(value.get("message") or ""),
        "args": args if isinstance(args, Mapping) else None,
        "allowed": tuple(verb for verb in VERBS if verb in value.get("allowed", ())),
        "expires_at": _seconds(value.get("expires_at")),
        "is_secret": value.get("secret") is True,
    }
    for key in ("args_schema", "response_schema", "default"):
        if isinstance(value.get(key), Mapping):
            parts[key] = value[key]
    if value.get("tool_call_id"):
        parts["tool_call_id"] = str(value["tool_call_id"])
    return parts


def _tool_approval(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "tool_call",
        "name": str(value.get("name") or ""),
        "message": str(value.get("description") or ""),
        "args": value["args"],
        "allowed": VERBS,
        "tool_call_id": value.get("tool_call_id"),
    }


def _hitl(value: Mapping[str, Any]) -> dict[str, Any]:
    action = value["action_requests"][0]
    review = _only(value.get("review_configs")) or {}
    allowed = review.get("allowed_decisions", VERBS)
    return {
        "kind": "tool_call",
        "name": str(action.get("name") or ""),
        "message": str(action.get("description") or ""),
        "args": action.get("args") or {},
        "args_schema": review.get("args_schema"),
        "allowed": tuple(verb for verb in VERBS if verb in allowed),
    }


def _batch(value: Mapping[str, Any]) -> dict[str, Any]:
    calls = value["action_requests"]
    words = [str(one.get("description") or one.get("name") or "") for one in calls]
    return {"kind": "tool_call", "message": "; ".join(words)}


def _human_interrupt(value: Mapping[str, Any]) -> dict[str, Any]:
    action, config = value["action_request"], value.get("config") or {}
    args = action.get("args")
    return {
        "kind": "tool_call",
        "name": str(action.get("action") or ""),
        "message": str(value.get("description") or ""),
        "args": args if isinstance(args, Mapping) else {},
        "allowed": tuple(verb for verb in VERBS if config.get(_INBOX_FLAGS[verb], False)),
    }


def _only(found: Any) -> Any:
    """Return the one item of a list of one; None for anything else."""
    return found[0] if isinstance(found, Sequence) and len(found) == 1 else None


def _seconds(found: Any) -> float | None:
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _words(value: Any) -> str:
    """Return what a program's own question asks, as text."""
    if isinstance(value, Mapping) and value.get("message"):
        return str(value["message"])
    return str(value)
