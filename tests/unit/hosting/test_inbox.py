"""The inbox: answers from elsewhere, races, deadlines, clocks that jump, runs that are over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from durably import (
    Answer,
    AnswerRefused,
    Command,
    Entrypoint,
    Extension,
    Host,
    Inbox,
    SqliteStorage,
    ThreadBusy,
    entrypoint,
    hookimpl,
    interrupt,
    task,
)
from durably.testing import FakeClock

CONFIG = {"configurable": {"thread_id": "t"}}
NOON = 1_700_000_000.0
CALL: dict[str, Any] = {
    "kind": "tool_call",
    "name": "refund",
    "args": {"amount": 20},
    "args_schema": {"properties": {"amount": {"type": "integer"}}},
    "allowed": ["approve", "edit", "reject"],
}
LIMITED = {**CALL, "deadline": 3600, "default": {"type": "reject", "message": "too late"}}


class Machines:
    """One journal, seen from as many machines as a test needs, each with a clock of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hosts: list[Host] = []

    def host(self, now: float = NOON, **options: Any) -> Host:
        host = Host(SqliteStorage(self._path), clock=FakeClock(now), **options)
        self._hosts.append(host)
        return host

    def flow(self, body: Callable[[Any], Any], now: float = NOON, **options: Any) -> Entrypoint:
        return entrypoint(checkpointer=self.host(now, **options))(body)

    def inbox(self, now: float = NOON) -> Inbox:
        return Inbox(self.host(now))

    def close(self) -> None:
        for host in self._hosts:
            host.close()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path / "journal.db")
    yield made
    made.close()


def asks(question: Any, answered: Callable[[Any], Any] = interrupt) -> Callable[[Any], Any]:
    def body(_: Any) -> Any:
        return answered(question)

    return body


def refused(inbox: Inbox, answer: Any, reason: str, **said: Any) -> AnswerRefused:
    question = inbox.pending()[0]
    with pytest.raises(AnswerRefused) as error:
        inbox.answer(question.id, answer, **said)
    assert error.value.reason == reason
    return error.value


def test_a_question_is_found_and_answered_from_elsewhere(machines):
    """The inbox tells everything that a person needs, and the run goes on with the answer."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    inbox = machines.inbox(NOON + 60)
    [question] = inbox.pending()
    assert (question.kind, question.name, question.args) == ("tool_call", "refund", CALL["args"])
    assert (question.thread, question.asked_at, question.expires_at) == ("t", NOON, None)
    receipt = inbox.answer(question.id[:6], {"type": "approve"}, by="ada", version=question.version)
    assert (receipt.by, receipt.at, receipt.is_new, receipt.left) == ("ada", NOON + 60, True, 0)
    assert inbox.pending() == []
    assert machines.flow(asks(CALL)).invoke(None, CONFIG) == {"type": "approve"}


def test_questions_of_several_runs_come_oldest_first(machines):
    """The inbox is one list over all runs."""
    for name, now in (("late", NOON + 9), ("early", NOON)):
        config = {"configurable": {"thread_id": name}}
        machines.flow(asks(name), now).invoke(0, config)
    assert [one.message for one in machines.inbox().pending()] == ["early", "late"]


def test_the_same_answer_twice_is_one(machines):
    """A double click, or a webhook that is delivered twice, does no harm; the first one counts."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    inbox = machines.inbox()
    identity = inbox.pending()[0].id
    inbox.answer(identity, {"type": "approve"}, by="ada")
    again = machines.inbox(NOON + 5).answer(identity, [{"type": "accept", "args": None}], by="bob")
    assert (again.by, again.at, again.is_new) == ("ada", NOON, False)
    machines.flow(asks(CALL)).invoke(None, CONFIG)
    over = machines.inbox(NOON + 9).answer(identity, {"type": "approve"}, by="bob")
    assert (over.by, over.is_new) == ("ada", False)


def test_another_answer_is_told_who_was_first(machines):
    """The first answer stands; the second learns by whom and when, and is not recorded."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    inbox = machines.inbox()
    identity = inbox.pending()[0].id
    inbox.answer(identity, {"type": "approve"}, by="ada")
    with pytest.raises(AnswerRefused, match=r"by ada at 2023-11-14T22:13:20\+00:00") as error:
        inbox.answer(identity, {"type": "reject"}, by="bob")
    assert (error.value.reason, error.value.by, error.value.at) == ("answered", "ada", NOON)
    assert machines.flow(asks(CALL)).invoke(None, CONFIG) == {"type": "approve"}


def test_of_two_who_answer_at_once_one_is_first(machines):
    """Whatever the race, one decision is recorded, and the other person is told."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    ready, ended = threading.Barrier(8), list[Any]()

    def person(number: int, inbox: Inbox, identity: str) -> None:
        decided = {"type": "reject", "message": f"no. {number}"}
        ready.wait()
        try:
            ended.append(inbox.answer(identity, decided, by=f"person {number}").is_new)
        except AnswerRefused as error:
            ended.append(error.reason)

    identity = machines.inbox().pending()[0].id
    inboxes = [Inbox(SqliteStorage(machines._path)) for _ in range(8)]
    people = [
        threading.Thread(target=person, args=(number, inbox, identity))
        for number, inbox in enumerate(inboxes)
    ]
    for one in people:
        one.start()
    for one in people:
        one.join()
    for inbox in inboxes:
        inbox.close()
    assert sorted(map(str, ended)) == ["True", *["answered"] * 7]


def test_a_wrong_answer_is_refused_when_it_is_given(machines):
    """The person who errs is there to be told; the question stays open."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    inbox = machines.inbox()
    for answer in (True, "yes", {}, {"type": "edit"}):
        refused(inbox, answer, "unclear")
    refused(inbox, {"type": "respond", "message": "done"}, "invalid")
    said = refused(inbox, {"type": "edit", "args": {"amount": "five"}}, "invalid")
    assert "amount: 'five' is not of type integer" in str(said)
    assert len(inbox.pending()) == 1


def test_an_answer_to_no_question(machines):
    """A wrong id, or the beginning of several, is told apart."""
    machines.flow(lambda _: [interrupt("a"), interrupt("b")]).invoke(0, CONFIG)
    inbox = machines.inbox()
    for wanted, why in (("nosuch", "no question has an id"), ("", "no question has an id")):
        with pytest.raises(AnswerRefused, match=why) as error:
            inbox.answer(wanted, "x")
        assert error.value.reason == "unknown"


def test_an_answer_to_a_run_that_is_over(machines):
    """A question that its run did without is not asked any more."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    identity = machines.inbox().pending()[0].id
    machines.flow(asks("done without", str)).invoke(None, CONFIG)
    with pytest.raises(AnswerRefused, match=r"run \w+ ended at .* \(done\)") as error:
        machines.inbox().answer(identity, {"type": "approve"})
    assert error.value.reason == "over"


def test_an_answer_to_a_question_that_the_run_does_not_ask_any_more(machines):
    """A run that waits for something else takes no answer to what it asked before."""
    machines.flow(asks("first?")).invoke(0, CONFIG)
    identity = machines.inbox().pending()[0].id
    machines.flow(asks({"other": "question", "n": 2})).invoke(None, CONFIG)
    with pytest.raises(AnswerRefused) as error:
        machines.inbox().answer(identity, "x")
    assert error.value.reason == "stale"
    assert [one.value for one in machines.inbox().pending()] == [{"other": "question", "n": 2}]


def test_an_answer_to_words_that_have_changed(machines):
    """A question in other words is another question; an answer to the old one is refused."""
    machines.flow(asks({**CALL, "message": "Refund on Monday?"})).invoke(0, CONFIG)
    inbox = machines.inbox()
    [before] = inbox.pending()
    machines.flow(asks({**CALL, "message": "Refund on Friday?"})).invoke(None, CONFIG)
    [now] = inbox.pending()
    assert now.id != before.id
    assert now.message == "Refund on Friday?"
    with pytest.raises(AnswerRefused, match="not asked any more"):
        inbox.answer(before.id, "approve")
    assert inbox.answer(now.id, "approve", version=now.version).is_new


def test_a_run_that_is_being_driven_takes_no_answer(machines):
    """The person is told that it will ask again."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    inbox = machines.inbox()
    identity = inbox.pending()[0].id
    log = machines.host().journal.take("t")
    with pytest.raises(ThreadBusy, match="answer when it waits"):
        inbox.answer(identity, "approve")
    log.release()
    assert inbox.answer(identity, "approve").is_new


def test_the_default_is_taken_when_nobody_decided_in_time(machines):
    """At the deadline the default stands, with the deadline as its author."""
    machines.flow(asks(LIMITED)).invoke(0, CONFIG)
    [question] = machines.inbox().pending()
    assert question.expires_at == NOON + 3600
    assert machines.flow(asks(LIMITED), NOON + 3599).invoke(None, CONFIG)["__interrupt__"]
    late = machines.flow(asks(LIMITED), NOON + 3600)
    assert late.invoke(None, CONFIG) == {"type": "reject", "message": "too late"}
    with pytest.raises(AnswerRefused) as error:
        machines.inbox(NOON).answer(question.id, "approve")
    assert (error.value.reason, error.value.by) == ("answered", "deadline")


def test_an_answer_after_the_deadline_is_refused(machines):
    """Who is late is told what happens instead."""
    machines.flow(asks(LIMITED)).invoke(0, CONFIG)
    said = refused(machines.inbox(NOON + 3600), "approve", "expired")
    assert "its default (reject) is taken" in str(said)
    assert machines.inbox(NOON + 3599).answer(machines.inbox().pending()[0].id, "approve").is_new
    assert machines.flow(asks(LIMITED), NOON + 9999).invoke(None, CONFIG) == {"type": "approve"}


def test_a_clock_that_goes_back_reopens_nothing_that_was_decided(machines):
    """Records decide, not clocks: a default once taken stands; an open question stays open."""
    machines.flow(asks(LIMITED), NOON).invoke(0, CONFIG)
    assert machines.flow(asks(LIMITED), NOON - 86400).invoke(None, CONFIG)["__interrupt__"]
    [question] = machines.inbox(NOON - 86400).pending()
    assert question.expires_at == NOON + 3600
    taken = machines.flow(asks(LIMITED), NOON + 7200).invoke(None, CONFIG)
    assert taken["type"] == "reject"
    with pytest.raises(AnswerRefused, match="by deadline"):
        machines.inbox(NOON - 86400).answer(question.id, "approve")


def test_a_deadline_without_a_default_is_told_and_does_not_decide(machines):
    """Where nothing says what should happen, nothing does; the person may still answer."""
    question = {key: value for key, value in LIMITED.items() if key != "default"}
    machines.flow(asks(question)).invoke(0, CONFIG)
    assert machines.flow(asks(question), NOON + 7200).invoke(None, CONFIG)["__interrupt__"]
    inbox = machines.inbox(NOON + 7200)
    assert inbox.answer(inbox.pending()[0].id, "approve").is_new


class Escalation:
    """Hands an overdue question on."""

    def __init__(self, said: Answer | Extension | None) -> None:
        self.said = said
        self.asked: list[str] = []

    @hookimpl
    def escalate_interrupt(self, interrupt: Any, run: Any) -> Answer | Extension | None:
        self.asked.append(interrupt.id)
        return self.said


def test_hook_escalate_interrupt(machines):
    """An overdue question is handed on before its default is taken: answered, or given longer."""
    machines.flow(asks(LIMITED)).invoke(0, CONFIG)
    longer, boss = Escalation(Extension(600)), Escalation(Answer("approve", "boss"))
    silent = Escalation(None)
    early = machines.flow(asks(LIMITED), NOON + 60, plugins=[boss])
    assert early.invoke(None, CONFIG)["__interrupt__"]
    assert boss.asked == []
    late = machines.flow(asks(LIMITED), NOON + 3600, plugins=[longer])
    assert late.invoke(None, CONFIG)["__interrupt__"]
    [question] = machines.inbox().pending()
    assert (question.expires_at, longer.asked) == (NOON + 4200, [question.id])
    assert machines.inbox(NOON + 3700).pending()[0].asked_at == NOON
    again = machines.flow(asks(LIMITED), NOON + 4200, plugins=[boss])
    assert again.invoke(None, CONFIG) == {"type": "approve"}
    machines.flow(asks(LIMITED)).invoke(0, {"configurable": {"thread_id": "u"}})
    left = machines.flow(asks(LIMITED), NOON + 9999, plugins=[silent])
    assert left.invoke(None, {"configurable": {"thread_id": "u"}})["type"] == "reject"
    assert len(silent.asked) == 1


def test_a_command_is_held_to_the_same_rules(machines):
    """``Command(resume=…)`` with an id is refused or idempotent as an answer from outside is."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    identity = machines.inbox().pending()[0].id
    flow = machines.flow(asks(CALL))
    with pytest.raises(AnswerRefused):
        flow.invoke(Command(resume={identity: True}), CONFIG)
    machines.inbox().answer(identity, "approve", by="ada")
    with pytest.raises(AnswerRefused, match="by ada"):
        flow.invoke(Command(resume={identity: {"type": "reject"}}), CONFIG)
    assert flow.invoke(Command(resume={identity: "approve"}), CONFIG) == {"type": "approve"}


def test_a_plug_in_that_answers_unclearly_stops_the_run(machines):
    """What a plug-in says is held to the same rules, and nothing can swallow the refusal."""

    class Vague:
        @hookimpl
        def answer_interrupt(self, interrupt: Any, run: Any) -> Answer:
            return Answer("yes", "vague")

    def body(_: Any) -> Any:
        try:
            return interrupt(CALL)
        except Exception:
            return "swallowed"

    with pytest.raises(AnswerRefused, match="no clear decision"):
        machines.flow(body, plugins=[Vague()]).invoke(0, CONFIG)


def test_an_answer_is_waited_for(machines):
    """Whoever waits learns of another process's answer, and of an earlier one at once."""
    machines.flow(asks(CALL)).invoke(0, CONFIG)
    inbox, other = machines.inbox(), machines.inbox()
    [question] = inbox.pending()
    assert inbox.wait(question.id, timeout=0) is False
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(inbox.wait, question.id[:6], 30)
        other.answer(question.id, {"type": "approve"})
        assert waiting.result() is True
    assert other.wait(question.id, timeout=0) is True


def test_what_else_happens_ends_no_wait(machines):
    """An answer to another question is not the one that is waited for."""

    def body(_: Any) -> Any:
        return [future.result() for future in [ask("one"), ask("two")]]

    @task
    def ask(text: str) -> Any:
        return interrupt(text)

    machines.flow(body).invoke(0, CONFIG)
    inbox = machines.inbox()
    one, two = inbox.pending()
    inbox.answer(one.id, "yes")
    assert inbox.wait(two.id, timeout=0.05) is False
    assert inbox.wait(one.id, timeout=0) is True
    with pytest.raises(AnswerRefused):
        inbox.wait("no such question", timeout=0)
