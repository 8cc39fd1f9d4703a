"""One pending record in every client's words, checked against the clients' own packages."""

from __future__ import annotations

import warnings
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from durably import AnswerRefused, Interrupt
from durably.people import (
    Question,
    answer_schema,
    answers_of_ag_ui,
    answers_of_hitl,
    as_ag_ui_interrupt,
    as_ag_ui_outcome,
    as_hitl_request,
    as_human_interrupt,
    as_tool_approval,
    decision_of,
    fitting,
    question_of,
)

SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "amount": {"type": "integer"}},
    "required": ["order"],
    "additionalProperties": False,
}
ASKED: dict[str, Any] = {
    "kind": "tool_call",
    "name": "refund",
    "message": "Refund 20 for order 7?",
    "args": {"order": "7", "amount": 20},
    "args_schema": SCHEMA,
    "allowed": ["approve", "edit", "reject", "respond"],
    "tool_call_id": "call_9",
    "expires_at": 1_800_000_000,
}
REFUND = question_of(Interrupt(ASKED, "ab" * 16), version=12)


def langchain(name: str) -> TypeAdapter[Any]:
    from langchain.agents.middleware import human_in_the_loop

    return TypeAdapter(getattr(human_in_the_loop, name))


def agent_inbox(name: str) -> TypeAdapter[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated in favour of LangChain's
        from langgraph.prebuilt import interrupt

        return TypeAdapter(getattr(interrupt, name))


def test_langchains_per_call_request():
    """The view is a ``ToolApprovalRequest`` to the letter, nothing more and nothing less."""
    view = as_tool_approval(REFUND)
    assert langchain("ToolApprovalRequest").validate_python(view) == view
    assert view["tool_call_id"] == "call_9"


def test_langchains_batch_and_its_answer():
    """Several calls are one ``HITLRequest``; its decisions find back to their questions."""
    other = question_of(Interrupt({**ASKED, "name": "close"}, "cd" * 16))
    view = as_hitl_request([REFUND, other])
    assert langchain("HITLRequest").validate_python(view) == view
    decisions = [{"type": "approve"}, {"type": "reject", "message": "no"}]
    response = langchain("HITLResponse").validate_python({"decisions": decisions})
    assert answers_of_hitl([REFUND, other], response) == dict(
        zip([REFUND.id, other.id], decisions, strict=True)
    )
    with pytest.raises(AnswerRefused, match="2 decisions are needed"):
        answers_of_hitl([REFUND, other], {"decisions": decisions[:1]})


def test_agent_inbox():
    """The view is a ``HumanInterrupt`` with a flag for each decision."""
    view = as_human_interrupt(REFUND)
    assert agent_inbox("HumanInterrupt").validate_python(view) == view
    only = as_human_interrupt(question_of(Interrupt({**ASKED, "allowed": ["reject"]}, "x")))
    flags = only["config"]
    assert [name for name, allowed in flags.items() if allowed] == ["allow_ignore"]


def test_ag_ui():
    """The view is what ``ag_ui.core`` takes for an interrupt and for a run's outcome."""
    from ag_ui.core import Interrupt as AgUiInterrupt
    from ag_ui.core import RunFinishedInterruptOutcome

    view = as_ag_ui_interrupt(REFUND)
    model = AgUiInterrupt.model_validate(view)
    assert model.model_dump(by_alias=True, exclude_none=True) == view
    assert view["expiresAt"] == "2027-01-15T08:00:00+00:00"
    assert view["metadata"]["version"] == 12
    outcome = as_ag_ui_outcome([REFUND])
    assert RunFinishedInterruptOutcome.model_validate(outcome).interrupts[0].id == REFUND.id


def test_ag_uis_answers_find_their_questions():
    """Resume entries go by id; two for one question, or one for none, are refused."""
    from ag_ui.core import ResumeEntry

    entry = ResumeEntry(interrupt_id=REFUND.id, status="resolved", payload={"approved": True})
    said = entry.model_dump(by_alias=True, exclude_none=True)
    assert fitting(Interrupt(ASKED, REFUND.id), answers_of_ag_ui([said])[REFUND.id]) == {
        "type": "approve"
    }
    for bad in ([said, said], [{"status": "resolved"}]):
        with pytest.raises(AnswerRefused):
            answers_of_ag_ui(bad)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("approve", {"type": "approve"}),
        ({"type": "approve"}, {"type": "approve"}),
        ({"decisions": [{"type": "approve"}]}, {"type": "approve"}),
        ([{"type": "accept", "args": None}], {"type": "approve"}),
        ([{"type": "ignore", "args": None}], {"type": "reject"}),
        ({"type": "reject", "message": "no"}, {"type": "reject", "message": "no"}),
        ({"type": "edit", "args": {"order": "8"}}, {"type": "edit", "args": {"order": "8"}}),
        (
            {"type": "edit", "edited_action": {"name": "refund", "args": {"order": "8"}}},
            {"type": "edit", "args": {"order": "8"}},
        ),
        (
            [{"type": "edit", "args": {"action": "refund", "args": {"order": "8"}}}],
            {"type": "edit", "args": {"order": "8"}},
        ),
        ([{"type": "response", "args": "done"}], {"type": "respond", "message": "done"}),
        ({"type": "respond", "message": "done"}, {"type": "respond", "message": "done"}),
        ({"type": "respond", "value": 0}, {"type": "respond", "value": 0}),
        (
            {"interruptId": "x", "status": "resolved", "payload": {"approved": True}},
            {"type": "approve"},
        ),
        (
            {
                "interruptId": "x",
                "status": "resolved",
                "payload": {"approved": True, "editedArgs": {"order": "8"}},
            },
            {"type": "edit", "args": {"order": "8"}},
        ),
        (
            {"status": "resolved", "payload": {"approved": False, "reason": "no"}},
            {"type": "reject", "message": "no"},
        ),
        (
            {"status": "resolved", "payload": {"approved": False, "response": "done"}},
            {"type": "respond", "message": "done"},
        ),
        (
            {"interruptId": "x", "status": "cancelled"},
            {"type": "reject", "message": "cancelled by the reviewer"},
        ),
    ],
)
def test_every_clients_answer_is_understood(said, meant):
    """Whoever's words an answer is in, one decision is recorded."""
    assert fitting(Interrupt(ASKED, "x"), said) == meant


@pytest.mark.parametrize(
    "said",
    [
        True,
        False,
        None,
        "yes",
        "y",
        "edit",
        "",
        {},
        [],
        {"type": "maybe"},
        {"type": True},
        {"type": "edit"},
        {"type": "edit", "args": None},
        {"type": "edit", "edited_action": {"name": "refund"}},
        {"type": "respond"},
        {"decisions": []},
        {"decisions": {"type": "approve"}},
        {"decisions": [{"type": "approve"}, {"type": "reject"}]},
        [{"type": "accept"}, {"type": "accept"}],
        {"status": "resolved"},
        {"status": "resolved", "payload": True},
        {"status": "resolved", "payload": {"approved": "true"}},
        {"approved": 1},
        {"approved": True, "response": "done"},
        {"approved": True, "editedArgs": None},
        {"approved": False, "editedArgs": {}},
    ],
)
def test_what_is_not_clearly_a_decision_is_refused(said):
    """Nothing is taken for an approval that is not one."""
    with pytest.raises(AnswerRefused) as refused:
        fitting(Interrupt(ASKED, "x"), said)
    assert refused.value.reason == "unclear"
    with pytest.raises(AnswerRefused):
        decision_of(said)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"type": "edit", "args": {}}, "'order' is missing"),
        ({"type": "edit", "args": {"order": 8}}, "order: 8 is not of type string"),
        ({"type": "edit", "args": {"order": "8", "n": 1}}, "'n' is not one of its names"),
        (
            {"type": "edit", "edited_action": {"name": "close", "args": {"order": "8"}}},
            "this is 'refund', not 'close'",
        ),
    ],
)
def test_edited_arguments_are_held_to_the_calls_schema(said, why):
    """A wrong edit is refused when it is given, not when the run goes on."""
    with pytest.raises(AnswerRefused, match=why) as refused:
        fitting(Interrupt(ASKED, "x"), said)
    assert refused.value.reason == "invalid"


def test_a_decision_that_is_not_allowed_is_refused():
    """The question says which decisions it takes."""
    asked = Interrupt({**ASKED, "allowed": ["approve", "reject"]}, "x")
    with pytest.raises(AnswerRefused, match="'edit' is not among"):
        fitting(asked, {"type": "edit", "args": {"order": "8"}})


def test_a_value_is_held_to_its_schema():
    """A question for an input takes what its ``response_schema`` allows; a typed text is read."""
    asked = Interrupt(
        {"kind": "input_required", "message": "How many?", "response_schema": {"type": "integer"}},
        "x",
    )
    assert fitting(asked, 3) == 3
    assert fitting(asked, "3") == 3
    assert fitting(asked, {"interruptId": "x", "status": "resolved", "payload": 3}) == 3
    assert fitting(asked, [{"type": "response", "args": "3"}]) == 3
    for bad in ("three", {"interruptId": "x", "status": "cancelled"}, {}):
        with pytest.raises(AnswerRefused):
            fitting(asked, bad)


@pytest.mark.parametrize("answer", [True, "yes", {}, [], None, {"type": "maybe"}])
def test_a_programs_own_question_takes_any_answer(answer):
    """What ``interrupt()`` asks in the program's own words is the program's business."""
    assert fitting(Interrupt({"question": "ok?"}, "x"), answer) == answer


def test_a_programs_own_question_is_held_to_its_schema_where_the_program_is_away():
    """An answer from outside that does not fit would only come back as the run's failure."""
    asked = Interrupt("ok?", "x", {"type": "boolean"})
    assert fitting(asked, "perhaps") == "perhaps"
    with pytest.raises(AnswerRefused):
        fitting(asked, "perhaps", strict=True)
    assert fitting(asked, "true", strict=True) is True


def middleware_question() -> Interrupt:
    return Interrupt(as_tool_approval(REFUND), "x")


def test_questions_of_langchains_middleware_are_read_and_answered_in_its_words():
    """An unchanged agent's own middleware gets the decision that it expects, from any client."""
    question = question_of(middleware_question())
    assert (question.kind, question.name, question.args) == ("tool_call", "refund", ASKED["args"])
    given = fitting(middleware_question(), [{"type": "accept", "args": None}])
    assert langchain("Decision").validate_python(given) == {"type": "approve"}
    edit = fitting(middleware_question(), {"type": "edit", "args": {"order": "8"}})
    assert edit["edited_action"] == {"name": "refund", "args": {"order": "8"}}
    batch = Interrupt(as_hitl_request([REFUND]), "x")
    assert fitting(batch, {"type": "reject"}) == {"decisions": [{"type": "reject"}]}
    both = Interrupt(as_hitl_request([REFUND, REFUND]), "x")
    two = {"decisions": [{"type": "approve"}, {"type": "reject", "message": "no"}]}
    assert fitting(both, two) == two
    with pytest.raises(AnswerRefused, match="2 decisions are needed"):
        fitting(both, {"type": "approve"})
    with pytest.raises(AnswerRefused):
        fitting(both, {"decisions": [{"type": "approve"}, {}]})


@pytest.mark.parametrize("wrapped", [False, True])
def test_questions_for_agent_inbox_are_answered_in_its_words(wrapped):
    """What the program gets is a list of one ``HumanResponse``, as the inbox would send it."""
    view = as_human_interrupt(REFUND)
    asked = Interrupt([view] if wrapped else view, "x")
    given = fitting(asked, {"type": "edit", "args": {"order": "8"}})
    assert agent_inbox("HumanResponse").validate_python(given[0]) == given[0]
    assert given[0]["args"] == {"action": "refund", "args": {"order": "8"}}
    as_sent = [{"type": "response", "args": "done"}]
    assert fitting(asked, as_sent) is as_sent
    assert fitting(asked, {"type": "reject"}) == [{"type": "ignore", "args": None}]


def test_the_schema_of_an_answer_accepts_what_is_accepted():
    """A form made from the schema sends answers that fit."""
    schema = answer_schema(REFUND)
    payload = {"approved": True, "editedArgs": {"order": "8"}}
    jsonschema.validate(payload, schema)
    assert fitting(Interrupt(ASKED, "x"), payload)["type"] == "edit"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"editedArgs": {"order": "8"}}, schema)


def test_a_question_without_a_kind_is_known_by_its_decisions():
    """Short questions that only name decisions are decisions; anything else is the program's."""
    assert question_of(Interrupt({"allowed": ["approve"]}, "x")).kind == "confirmation"
    assert question_of(Interrupt({"allowed": ["a", "b"]}, "x")).allowed == ()
    assert question_of(Interrupt({"allowed": "approve"}, "x")).dialect == "plain"
    assert isinstance(question_of(Interrupt(None, "x")), Question)
