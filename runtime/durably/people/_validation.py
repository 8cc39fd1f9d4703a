"""Which answers fit a question; what is ambiguous or wrong is refused before it is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from ..errors import AnswerRefused
from ..types import Decision, Interrupt
from ._decisions import decision_of, is_resume_entry
from ._question import Question, question_of
from ._schemas import complaint

_INBOX_TYPES = frozenset({"accept", "ignore", "response"})
"""Types of Agent Inbox's answers that no other client has."""


def fitting(interrupt: Interrupt, answer: Any, *, strict: bool = False) -> Any:
    """Return *answer* in the form in which it is recorded and handed to the program.

    A question that names the decisions it allows takes one of them, in any client's words (see
    :func:`decision_of`); edited arguments must fit the call's schema. A question of durably's own
    that names none takes a value that fits its ``response_schema``. A program's own question takes
    any value, as in LangGraph.

    Args:
        interrupt: The question.
        answer: What somebody said.
        strict: Hold a program's own question to its ``response_schema`` too: the program, which
            would refuse the answer itself, is not there to do it.

    Raises:
        AnswerRefused: The answer is ambiguous, not allowed, or does not fit the schema.
    """
    question = question_of(interrupt)
    try:
        _check_kept(question)
        if question.dialect == "plain":
            given = _unwrapped(answer) if _is_entry_for(question, answer) else answer
            return _value(question, given) if strict else given
        if question.dialect == "hitl_batch":
            return _batch(question, answer)
        if question.dialect == "native" and not question.allowed:
            return _value(question, _unwrapped(answer))
        return _in_dialect(question, answer, _decided(question, answer))
    except AnswerRefused as error:
        raise AnswerRefused(_advised(question, str(error)), error.reason) from None


def decision(answer: Mapping[str, Any]) -> tuple[Decision, Any]:
    """Split a recorded decision into its verb and what comes with it."""
    verb: Decision = answer["type"]
    if verb == "edit":
        return verb, answer["args"]
    return verb, answer.get("value", answer.get("message"))


def _check_kept(question: Question) -> None:
    if question.is_secret:
        raise AnswerRefused(
            "secrets are not kept; run the program again at a terminal and type it there",
            "invalid",
        )


def _decided(question: Question, answer: Any) -> dict[str, Any]:
    decided = decision_of(answer)
    verb, name = decided["type"], decided.pop("name", None)
    if verb not in question.allowed:
        raise AnswerRefused(f"{verb!r} is not among the decisions that it takes", "invalid")
    if name is not None and question.name and name != question.name:
        raise AnswerRefused(
            f"an edit changes arguments, not the call: this is {question.name!r}, not {name!r}",
            "invalid",
        )
    if verb == "edit":
        wrong = complaint(question.args_schema, decided["args"])
        if wrong:
            raise AnswerRefused(f"the edited arguments do not fit: {wrong}", "invalid")
    return decided


def _value(question: Question, answer: Any) -> Any:
    schema = question.response_schema
    if isinstance(answer, str) and isinstance(question.value, Mapping):
        answer = question.value.get("aliases", {}).get(answer, answer)
    if not isinstance(schema, Mapping):
        return answer
    wrong = complaint(schema, answer)
    if wrong is None:
        return answer
    if isinstance(answer, str):  # typed by a person, who means what the text says
        try:
            meant = json.loads(answer)
        except ValueError:
            meant = answer
        if complaint(schema, meant) is None:
            return meant
    raise AnswerRefused(f"the answer does not fit: {wrong}", "invalid")


def _is_entry_for(question: Question, answer: Any) -> bool:
    """Say whether *answer* is an AG-UI resume entry that names this very question."""
    if not isinstance(answer, Mapping) or not is_resume_entry(cast("Mapping[str, Any]", answer)):
        return False
    return question.id in (answer.get("interruptId"), answer.get("interrupt_id"))


def _unwrapped(answer: Any) -> Any:
    """Take a value out of what AG-UI, Agent Inbox or LangChain put around it."""
    if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], Mapping):
        said = cast("Mapping[str, Any]", answer[0])
        if said.get("type") == "response" and "args" in said:
            return said["args"]
    if not isinstance(answer, Mapping):
        return answer
    fields = cast("Mapping[str, Any]", answer)
    if is_resume_entry(fields):
        if fields["status"] == "resolved" and "payload" in fields:
            return fields["payload"]
        raise AnswerRefused("it was cancelled, and the question takes an answer only", "unclear")
    if fields.get("type") == "respond" and fields.keys() <= {"type", "message", "value"}:
        return fields.get("value", fields.get("message"))
    return fields


def _in_dialect(question: Question, answer: Any, decided: dict[str, Any]) -> Any:
    """Return the decision in the words in which the question was asked."""
    if question.dialect == "native":
        return decided
    if question.dialect == "human_interrupt":
        is_theirs = isinstance(answer, Mapping) and answer.get("type") in _INBOX_TYPES
        if is_theirs or isinstance(answer, list):
            return answer
        return [_human_response(question, decided)]
    told = _langchain(question, decided)
    return told if question.dialect == "tool_approval" else {"decisions": [told]}


def _langchain(question: Question, decided: Mapping[str, Any]) -> dict[str, Any]:
    if decided["type"] == "edit":
        action = {"name": question.name, "args": decided["args"]}
        return {"type": "edit", "edited_action": action}
    if decided["type"] == "respond":
        return {"type": "respond", "message": _text(decided)}
    return dict(decided)


def _human_response(question: Question, decided: Mapping[str, Any]) -> dict[str, Any]:
    verb = decided["type"]
    if verb == "edit":
        args = {"action": question.name, "args": decided["args"]}
        return {"type": "edit", "args": args}
    if verb == "respond":
        return {"type": "response", "args": _text(decided)}
    return {"type": "accept" if verb == "approve" else "ignore", "args": None}


def _text(decided: Mapping[str, Any]) -> str:
    said = decided.get("message", decided.get("value"))
    return said if isinstance(said, str) else json.dumps(said, default=str)


def _batch(question: Question, answer: Any) -> Any:
    """Hold an answer to several proposed calls to one decision for each, by position."""
    requests = question.value["action_requests"]
    said = answer.get("decisions") if isinstance(answer, Mapping) else None
    if not isinstance(said, list) or len(said) != len(requests):
        raise AnswerRefused(
            f"{len(requests)} decisions are needed, one for each call in order: "
            '{"decisions": [{"type": "approve"}, …]}',
            "unclear",
        )
    reviews = {one.get("action_name"): one for one in question.value.get("review_configs") or ()}
    told: list[dict[str, Any]] = []
    for request, one in zip(requests, said, strict=True):
        part = {"action_requests": [request]}
        review = reviews.get(request.get("name"))
        if review is not None:
            part["review_configs"] = [review]
        call = question_of(Interrupt(part, question.id))
        told.append(_langchain(call, _decided(call, one)))
    return {"decisions": told}


def _advised(question: Question, why: str) -> str:
    """Say what is wrong, with which question, and what would be right."""
    said = f"interrupt {question.id}: {why}."
    if not question.allowed:
        return said
    verbs = ", ".join(question.allowed)
    return f'{said} It takes one of {verbs}, for example {{"type": "{question.allowed[0]}"}}.'
