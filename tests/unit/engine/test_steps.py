"""Steps as adapters take them: lanes, retries of lanes, streams, ids, tools, and their failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from durably import AnswerRefused, DurablyError, Listener, ProgramChanged, Suspended
from durably.engine import Call, Scope, current
from durably.journal.records import RunEnded, StepEnded


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


def model(request: object, value: object = "answer") -> Any:
    return here().step(Call("model", "m", request), lambda: value)


def failing(broken: bool) -> None:
    if broken:
        raise RuntimeError("stop")


def test_a_lane_that_is_retried_replays_what_was_finished_in_it(runs: Any) -> None:
    """A framework's own retry enters the same lane with counters that begin anew."""
    calls: list[str] = []

    def turn(attempt: int) -> str:
        def call(name: str) -> str:
            calls.append(name)
            if name == "second" and attempt == 0:
                raise ValueError("flaky")
            return name

        with here().child("agent", owner="agent").entered():
            return "".join(
                here().step(Call("model", "m", name), lambda name=name: call(name))
                for name in ("first", "second")
            )

    def body() -> str:
        with here().child("agent", owner="agent").entered():
            try:
                return turn(0)
            except ValueError:
                return turn(1)

    outcome = runs.drive(body)
    assert outcome.value == "firstsecond"
    assert calls == ["first", "second", "second"]


@pytest.mark.parametrize("handled", [True, False], ids=["in the handler", "after it"])
def test_a_framework_that_rejects_an_answer_gets_another(runs: Any, *, handled: bool) -> None:
    """Its retry asks the model again; what the tool had done before is not done again."""
    answers = ["", "", "fine"]
    done: list[str] = []

    def take(kind: str, answer: Any) -> Any:
        def execute() -> Any:
            done.append(kind)
            return answer()

        return here().step(Call(kind, kind[0], f"after {kind}"), execute)

    def turn() -> Any:
        with here().child("agent", owner="agent").entered():
            here().step(Call("model", "m", "begin"), lambda: "use the tool")
            take("tool", lambda: "used")
            answer = take("model", lambda: answers[done.count("model")])
            if not answer:
                raise ValueError("the answer is empty")
            return answer

    def body(*, broken: bool) -> Any:
        with here().child("agent", owner="agent").entered():
            try:
                return finished(turn(), broken=broken)
            except ValueError:
                if handled:
                    return finished(turn(), broken=broken)
            return finished(turn(), broken=broken)

    def finished(answer: Any, *, broken: bool) -> Any:
        failing(broken)
        return answer

    assert runs.drive(lambda: body(broken=True)).status == "failed"
    assert done == ["tool", "model", "model"]
    assert runs.drive(lambda: body(broken=False)).value == "fine"
    assert runs.drive(lambda: body(broken=False)).value == "fine"
    assert done == ["tool", "model", "model"]


def test_a_lane_entered_through_two_functions_is_not_retried(runs: Any) -> None:
    """A subclass that calls its base enters the same lane again before any step was taken."""
    calls: list[str] = []

    def body(*, broken: bool) -> Any:
        for _ in range(2):
            with (
                here().child("agent", owner="agent").entered(),
                here().child("agent", owner="agent").entered(),
            ):
                here().step(Call("model", "m", "q"), lambda: calls.append("called"))
        failing(broken)

    runs.drive(lambda: body(broken=True))
    runs.drive(lambda: body(broken=False))
    assert calls == ["called"] * 2


def test_equal_requests_in_different_lanes_are_different_steps(runs: Any) -> None:
    """Each agent's call has its own outcome."""

    def body(*, broken: bool) -> list[str]:
        found = []
        for n, agent in enumerate(["a", "b", "a"]):
            with here().span("agent", agent):
                found.append(model("q", f"{agent}{n}" if broken else "executed again"))
        failing(broken)
        return found

    runs.drive(lambda: body(broken=True))
    assert runs.drive(lambda: body(broken=False)).value == ["a0", "b1", "a2"]


def test_a_tool_call_with_other_arguments_is_another_call(runs: Any) -> None:
    """A recorded outcome never stands in for another tool call: a person is asked first."""
    calls: list[int] = []

    def body(argument: int, *, broken: bool) -> int:
        def call() -> int:
            calls.append(argument)
            return argument

        found = here().step(Call("tool", "pay", {"amount": argument}, effect=True), call)
        failing(broken)
        return int(found)

    runs.drive(lambda: body(1, broken=True))
    asked = runs.drive(lambda: body(2, broken=False))
    [question] = asked.interrupts
    assert (asked.status, question.value["name"], calls) == ("waiting", "changed", [1])
    runs.answer({question.id: "other"})
    assert runs.drive(lambda: body(2, broken=False)).value == 2
    assert calls == [1, 2]


def test_a_tool_call_that_a_person_calls_the_same_has_the_recorded_outcome(runs: Any) -> None:
    """The answer ``same`` serves this step, and a later process need not ask again."""
    calls: list[int] = []

    def body(argument: int, *, broken: bool) -> int:
        call = Call("tool", "pay", {"amount": 5, "key": argument}, effect=True)
        found = here().step(call, lambda: calls.append(argument) or argument)
        failing(broken)
        return int(found)

    runs.drive(lambda: body(1, broken=True))
    [question] = runs.drive(lambda: body(2, broken=False)).interrupts
    runs.answer({question.id: "same"})
    assert runs.drive(lambda: body(3, broken=True)).status == "failed"
    assert runs.drive(lambda: body(4, broken=False)).value == 1
    assert calls == [1]


@pytest.mark.parametrize(("answer", "taken"), [("replay", 1), ("rerun", 2)])
def test_words_of_on_change_are_taken_for_an_answer(runs: Any, answer: str, taken: int) -> None:
    """``replay`` means ``same``, and ``rerun`` means ``other``."""

    def body(argument: int, *, broken: bool) -> int:
        found = here().step(Call("tool", "pay", argument, effect=True), lambda: argument)
        failing(broken)
        return int(found)

    runs.drive(lambda: body(1, broken=True))
    [question] = runs.drive(lambda: body(2, broken=False)).interrupts
    runs.answer({question.id: answer})
    assert runs.drive(lambda: body(2, broken=False)).value == taken


def test_another_text_is_no_answer_to_what_changed(runs: Any) -> None:
    """Only the three words are taken; nothing is recorded of another one."""

    def body(argument: int, *, broken: bool) -> int:
        found = here().step(Call("tool", "pay", argument, effect=True), lambda: argument)
        failing(broken)
        return int(found)

    runs.drive(lambda: body(1, broken=True))
    [question] = runs.drive(lambda: body(2, broken=False)).interrupts
    with pytest.raises(AnswerRefused, match="same"):
        runs.answer({question.id: "yes"})


def test_an_answer_that_aborts_ends_the_run(runs: Any) -> None:
    """The run fails with the difference, and does nothing."""

    def body(argument: int, *, broken: bool) -> int:
        found = here().step(Call("tool", "pay", argument, effect=True), lambda: argument)
        failing(broken)
        return int(found)

    runs.drive(lambda: body(1, broken=True))
    [question] = runs.drive(lambda: body(2, broken=False)).interrupts
    runs.answer({question.id: "abort"})
    ended = runs.drive(lambda: body(2, broken=False))
    assert isinstance(ended.error, ProgramChanged)


def test_calls_at_the_same_time_may_be_killed_one_by_one(runs: Any) -> None:
    """Processes that come to such calls in other orders give one position to two of them."""
    done: list[str] = []

    def body(order: str, finished: int) -> list[str]:
        steps = [here().open(Call("tool", "send", text, effect=True)) for text in order]
        values = []
        for step in steps:
            if step.held is None and len(done) == finished:
                failing(broken=True)
            values.append(here().perform(step, lambda s=step: done.append(s.call.request)))
        return values

    for order, finished in (("abc", 1), ("bca", 2)):
        runs.drive(lambda order=order, finished=finished: body(order, finished))
    assert runs.drive(lambda: body("cab", 9)).status == "done"
    assert sorted(done) == ["a", "b", "c"]


def test_a_model_failure_nobody_went_on_from_is_tried_again(runs: Any) -> None:
    """A framework that only quotes the failure, and stops, has not survived it."""
    broken = [True]

    def body() -> str:
        def call() -> str:
            if broken:
                raise ConnectionError("no route to the model")
            return "answer"

        try:
            return str(here().step(Call("model", "m", "q"), call))
        except ConnectionError as error:
            text = f"the agent gave up: {error}"
        raise RuntimeError(text)

    assert runs.drive(body).status == "failed"
    broken.clear()
    assert runs.drive(body).value == "answer"


async def test_a_stream_holds_its_last_piece_back_until_all_is_recorded(runs: Any) -> None:
    """Whoever has seen the end has it from the journal from then on."""
    recorded: list[int] = []

    class Watch(Listener):
        def step_finished(self, step: object, error: BaseException | None) -> None:
            recorded.append(len(seen))

    seen: list[str] = []
    calls: list[int] = []

    async def source() -> AsyncIterator[str]:
        calls.append(1)
        for piece in "abc":
            yield piece

    async def body(*, broken: bool) -> list[str]:
        seen.clear()
        async for piece in here().astream(Call("model", "m", "q"), source):
            seen.append(piece)
        failing(broken)
        return seen

    await runs.adrive(lambda: body(broken=True), listeners=[Watch()])
    assert recorded == [2]
    assert (await runs.adrive(lambda: body(broken=False))).value == ["a", "b", "c"]
    assert calls == [1]


async def test_a_stream_that_is_left_early_is_not_recorded(runs: Any) -> None:
    """Half an answer is none: it is asked for again."""

    async def source() -> AsyncIterator[str]:
        for piece in "abc":
            yield piece

    async def body() -> str:
        pieces = here().astream(Call("model", "m", "q"), source)
        async for piece in pieces:
            await pieces.aclose()  # type: ignore[attr-defined]
            return piece
        return ""

    assert (await runs.adrive(body)).value == "a"
    assert runs.records(StepEnded) == []


def test_ids_and_times_are_the_same_on_replay(runs: Any) -> None:
    """A prompt that holds one of them replays."""

    def body(*, broken: bool) -> list[object]:
        found: list[object] = []
        for agent in ("a", "b"):
            with here().span("agent", agent):
                found += [here().uuid(), here().uuid(), here().now(), here().now()]
                model(str(found))
                found += [here().now()]
        failing(broken)
        return found

    first: list[object] = []

    def keep() -> None:
        first.extend(body(broken=False))
        failing(broken=True)

    runs.drive(keep)
    again = runs.drive(lambda: body(broken=False)).value
    assert again == first
    assert len(set(map(str, first))) == len(first)
    assert len(runs.records(StepEnded)) == 2


def test_a_broken_listener_does_not_break_the_run(
    runs: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named in the log, and the run goes on."""

    class Broken(Listener):
        def step_finished(self, step: object, error: BaseException | None) -> None:
            raise ZeroDivisionError

    assert runs.drive(lambda: model("q"), listeners=[Broken()]).value == "answer"
    assert "Broken" in caplog.text


def test_an_exit_of_the_program_is_not_swallowed(runs: Any) -> None:
    """sys.exit() ends a run; with a status other than 0 as a failure."""

    def leave(code: int) -> Any:
        def body() -> None:
            raise SystemExit(code)

        return body

    assert runs.drive(leave(0)).status == "done"
    assert runs.drive(leave(3)).status == "failed"


def test_ctrl_c_leaves_the_run_to_be_continued(runs: Any) -> None:
    """An interruption from outside is no outcome."""

    def body() -> None:
        raise KeyboardInterrupt

    outcome = runs.drive(body)
    assert outcome.status == "stopped"
    assert isinstance(outcome.error, KeyboardInterrupt)
    assert runs.records(RunEnded) == []


def test_a_result_that_cannot_be_written_does_not_fail_the_run(runs: Any) -> None:
    """An object's own end is made again by replaying; only steps have to be written."""
    outcome = runs.drive(lambda: (model("q"), current())[1])
    assert outcome.status == "done"
    assert isinstance(outcome.value, Scope)
    [ended] = runs.records(RunEnded)
    assert (ended.status, ended.value) == ("done", b"")


def test_a_damaged_step_stops_the_run(runs: Any) -> None:
    """A framework cannot take it for the step's own failure and go on."""

    def body(*, broken: bool) -> str:
        try:
            here().step(Call("model", "m", "q", dump=lambda _: Colourless()), lambda: 1)
        except Exception:
            return "swallowed"
        failing(broken)
        return "replayed"

    runs.drive(lambda: body(broken=True))
    name = Colourless.__name__
    kept = globals().pop(name)
    try:
        outcome = runs.drive(lambda: body(broken=False))
    finally:
        globals()[name] = kept
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DurablyError)


class Colourless(int):
    """A class that a later version of the program may not have."""


async def test_a_run_that_is_stopping_cancels_what_never_ends(runs: Any) -> None:
    """Branches get to finish their steps; what only waits is cancelled."""
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("forever")

    async def slow() -> None:
        async def call() -> str:
            for _ in range(20):
                await asyncio.sleep(0.002)
            ended.append("step")
            return "x"

        await here().astep(Call("model", "m", "q"), call)

    async def body() -> None:
        tasks = [asyncio.create_task(forever()), asyncio.create_task(slow())]
        await asyncio.sleep(0)
        here().ask("input", "?")
        await asyncio.gather(*tasks)

    before = asyncio.all_tasks()
    outcome = await runs.adrive(body)
    assert outcome.status == "waiting"
    assert ended == ["step", "forever"]
    assert len(runs.records(StepEnded)) == 1
    assert asyncio.all_tasks() == before


def test_a_step_after_the_run_is_over_is_refused(runs: Any) -> None:
    """A scope that somebody kept does not reach into the thread's next run."""
    kept: list[Scope] = []
    runs.drive(lambda: kept.append(here()))
    with pytest.raises(Suspended, match="over"):
        kept[0].step(Call("model", "m", "q"), lambda: 1)
