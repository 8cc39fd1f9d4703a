"""The pending record in the words of other clients, and their answers by question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..errors import AnswerRefused
from ._question import Question


def as_tool_approval(question: Question) -> dict[str, Any]:
    """Return LangChain's ``ToolApprovalRequest``, which is answered with one decision.

    Example:
        >>> as_tool_approval(Question(id="ab12", name="refund", args={"n": 1}))["type"]
        'tool_approval'
    """
    return {
        "type": "tool_approval",
        "tool_call_id": question.tool_call_id or question.id,
        "name": question.name,
        "args": dict(question.args or {}),
        "description": described(question),
    }


def as_hitl_request(questions: Iterable[Question]) -> dict[str, Any]:
    """Return LangChain's ``HITLRequest`` for several calls; the answer has one decision for each.

    :func:`answers_of_hitl` takes that answer apart.
    """
    asked = [*questions]
    reviews: dict[str, dict[str, Any]] = {}
    for one in asked:
        review: dict[str, Any] = {"action_name": one.name, "allowed_decisions": [*one.allowed]}
        if one.args_schema is not None:
            review["args_schema"] = dict(one.args_schema)
        reviews.setdefault(one.name, review)
    actions = [
        {"name": one.name, "args": dict(one.args or {}), "description": described(one)}
        for one in asked
    ]
    return {"action_requests": actions, "review_configs": [*reviews.values()]}


def as_human_interrupt(question: Question) -> dict[str, Any]:
    """Return Agent Inbox's ``HumanInterrupt``; a question for a value allows a response only."""
    allowed = question.allowed or ("respond",)
    return {
        "action_request": {"action": question.name, "args": dict(question.args or {})},
        "config": {
            "allow_accept": "approve" in allowed,
            "allow_edit": "edit" in allowed,
            "allow_respond": "respond" in allowed,
            "allow_ignore": "reject" in allowed,
        },
        "description": described(question),
    }


def as_ag_ui_interrupt(question: Question) -> dict[str, Any]:
    """Return AG-UI's ``Interrupt``; its ``metadata`` holds the version that an answer names."""
    told: dict[str, Any] = {
        "id": question.id,
        "reason": question.kind,
        "message": described(question),
        "responseSchema": answer_schema(question),
        "metadata": {"version": question.version, "name": question.name},
    }
    if question.tool_call_id:
        told["toolCallId"] = question.tool_call_id
    if question.args is not None:
        told["metadata"]["args"] = dict(question.args)
    if question.expires_at is not None:
        told["expiresAt"] = datetime.fromtimestamp(question.expires_at, UTC).isoformat()
    return told


def as_ag_ui_outcome(questions: Iterable[Question]) -> dict[str, Any]:
    """Return the ``outcome`` of AG-UI's ``RUN_FINISHED`` for a run that waits."""
    return {"type": "interrupt", "interrupts": [as_ag_ui_interrupt(one) for one in questions]}


def answers_of_ag_ui(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return AG-UI's ``resume`` entries by question id, to be given to ``Command(resume=…)``.

    Raises:
        AnswerRefused: An entry names no question, or two name the same one.
    """
    answers: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        identity = entry.get("interruptId") or entry.get("interrupt_id")
        if not isinstance(identity, str) or identity in answers:
            raise AnswerRefused(f"{dict(entry)!r} is no answer to a question of its own", "unclear")
        answers[identity] = entry
    return answers


def answers_of_hitl(
    questions: Sequence[Question], response: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """Return a ``HITLResponse``'s decisions by the ids of the questions of its request.

    Raises:
        AnswerRefused: There is not one decision for each question.
    """
    decisions = response.get("decisions")
    if not isinstance(decisions, list) or len(decisions) != len(questions):
        raise AnswerRefused(f"{len(questions)} decisions are needed: {response!r}", "unclear")
    return {one.id: said for one, said in zip(questions, decisions, strict=True)}


def answer_schema(question: Question) -> dict[str, Any]:
    """Return the JSON schema of an answer, in AG-UI's words where it is a decision."""
    if not question.allowed:
        schema = question.response_schema
        return dict(schema) if isinstance(schema, Mapping) else {}
    properties: dict[str, Any] = {"approved": {"type": "boolean"}}
    if "edit" in question.allowed:
        properties["editedArgs"] = dict(question.args_schema or {"type": "object"})
    if "reject" in question.allowed:
        properties["reason"] = {"type": "string"}
    if "respond" in question.allowed:
        properties["response"] = {}
    return {"type": "object", "properties": properties, "required": ["approved"]}


def described(question: Question) -> str:
    """Return what is asked, as text; the call itself if there is no message."""
    if question.message or question.args is None:
        return question.message or question.name
    shown = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in question.args.items()
    )
    return f"{question.name}({shown})"
