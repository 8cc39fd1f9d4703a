"""A question belongs to one run, also after its thread was copied or forked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durably import (
    AnswerRefused,
    Command,
    Entrypoint,
    Host,
    Inbox,
    InMemorySaver,
    SqliteSaver,
    entrypoint,
    interrupt,
    task,
)
from durably.hosting import all_runs

DECISION = {"kind": "tool_call", "name": "pay", "args": {}, "allowed": ["approve", "reject"]}


def on(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InMemorySaver | SqliteSaver]:
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as opened:
        yield opened


@pytest.fixture
def host(saver: InMemorySaver | SqliteSaver) -> Host:
    return Host(saver, config=False)


def flow_on(host: Host) -> Entrypoint:
    """Return an entrypoint that asks in two tasks at once, one of which is a decision."""

    @task
    def ask(question: Any) -> Any:
        return interrupt(question)

    @entrypoint(checkpointer=host)
    def flow(_: int) -> Any:
        return [one.result() for one in [ask("how much?"), ask(DECISION)]]

    return flow


def pending(host: Host) -> dict[str, list[str]]:
    """Return the ids of the open questions by thread, in the order in which they were asked."""
    found: dict[str, list[str]] = {}
    for one in Inbox(host).pending():
        found.setdefault(one.thread, []).append(one.id)
    return found


def test_a_copied_thread_asks_questions_of_its_own(host, saver):
    """The copy's questions have new ids of the same form, and the original's stay as they were."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    before = pending(host)["a"]
    saver.copy_thread("a", "b")
    saver.copy_thread("b", "c")
    ids = pending(host)
    assert ids["a"] == before
    together = [*ids["a"], *ids["b"], *ids["c"]]
    assert len(set(together)) == 6
    assert {len(one) for one in together} == {32}


def test_an_answer_reaches_the_run_that_asked(host, saver):
    """The inbox records it for one run; the other one waits on."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    saver.copy_thread("a", "b")
    ids, inbox = pending(host), Inbox(host)
    number, decision = ids["b"]
    receipt = inbox.answer(number, 5)
    assert receipt.question.thread == "b"
    inbox.answer(decision, "approve")
    assert flow.invoke(None, on("b")) == [5, {"type": "approve"}]
    assert len(flow.invoke(None, on("a"))["__interrupt__"]) == 2
    assert pending(host) == {"a": ids["a"]}


def test_a_command_names_questions_of_its_own_thread_only(host, saver):
    """An id of the copy is unknown to the original."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    saver.copy_thread("a", "b")
    ids = pending(host)
    with pytest.raises(AnswerRefused, match="asked no question") as error:
        flow.invoke(Command(resume={ids["b"][0]: 1}), on("a"))
    assert error.value.reason == "unknown"
    given = dict(zip(ids["a"], [1, {"type": "reject"}], strict=True))
    assert flow.invoke(Command(resume=given), on("a")) == [1, {"type": "reject"}]
    assert pending(host) == {"b": ids["b"]}


def test_recorded_answers_are_copied_with_their_questions(host, saver):
    """What was answered before the copy is not asked again in it."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    number, decision = pending(host)["a"]
    Inbox(host).answer(number, 5)
    saver.copy_thread("a", "b")
    [left] = pending(host)["b"]
    assert left not in (number, decision)
    assert flow.invoke(Command(resume={left: "approve"}), on("b")) == [5, {"type": "approve"}]
    Inbox(host).answer(decision, "reject")
    assert flow.invoke(None, on("a")) == [5, {"type": "reject"}]


def test_a_fork_asks_questions_of_its_own(host):
    """The fork waits; the run that it was made of is given up, and its questions are closed."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    before = pending(host)["a"]
    state = flow.get_state(on("a"))
    waits = flow.invoke(None, state.config)
    after = [one.id for one in waits["__interrupt__"]]
    assert pending(host) == {"a": after}
    assert set(before).isdisjoint(after)
    with pytest.raises(AnswerRefused, match="The thread was forked") as error:
        Inbox(host).answer(before[0], 1)
    assert error.value.reason == "superseded"
    given = dict(zip(after, [7, "approve"], strict=True))
    assert flow.invoke(Command(resume=given), on("a")) == [7, {"type": "approve"}]


def test_a_fork_takes_answers_by_the_ids_that_its_state_shows(host):
    """The state of an earlier moment shows that moment's questions, by the ids they had then."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    state = flow.get_state(on("a"))
    first = dict(zip([one.id for one in state.interrupts], [1, "approve"], strict=True))
    assert flow.invoke(Command(resume=first), on("a")) == [1, {"type": "approve"}]
    second = {one: 2 if answer == 1 else "reject" for one, answer in first.items()}
    assert flow.invoke(Command(resume=second), state.config) == [2, {"type": "reject"}]


def test_a_refused_answer_forks_nothing(host):
    """The run that waits is not given up for an answer that is not taken."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    before, state = pending(host), flow.get_state(on("a"))
    _, decision = before["a"]
    with pytest.raises(AnswerRefused):
        flow.invoke(Command(resume={decision: "perhaps"}), state.config)
    assert pending(host) == before


def test_a_fork_of_a_copy_is_a_run_of_its_own(host, saver):
    """Copies of forks, and forks of copies, never share an id."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    flow.invoke(None, flow.get_state(on("a")).config)
    saver.copy_thread("a", "b")
    flow.invoke(None, flow.get_state(on("b")).config)
    ids = pending(host)
    assert len({*ids["a"], *ids["b"]}) == 4
    copied = [view for view in all_runs(host.journal) if view.thread == "b"]
    assert [view.successor for view in copied] == [copied[1].run, copied[2].run, ""]


def test_ids_shared_by_an_older_copy_are_told_apart_by_their_threads(host):
    """Where copies share ids, as earlier versions made them, an unclear answer is refused."""
    flow = flow_on(host)
    flow.invoke(1, on("a"))
    log = host.journal.take("b")
    for one in host.journal.read("a"):
        log.append("copied", one.record)
    log.release()
    inbox = Inbox(host)
    assert len(inbox.pending()) == 4
    with pytest.raises(AnswerRefused, match=r"asked by several runs.*thread 'a'.*thread 'b'"):
        inbox.answer(pending(host)["a"][0], 5)
    number, decision = pending(host)["b"]
    given = {number: 5, decision: "approve"}
    assert flow.invoke(Command(resume=given), on("b")) == [5, {"type": "approve"}]
    assert inbox.answer(number, 6).question.thread == "a"
