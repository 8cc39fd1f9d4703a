"""What a call of an entrypoint is given: its thread, its limits, pauses and drains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.unit.func.places import Place, thread

from durably import (
    Command,
    Entrypoint,
    GraphDrained,
    InMemorySaver,
    RetryPolicy,
    RunControl,
    entrypoint,
    get_runtime,
    interrupt,
    task,
)
from durably.testing import FakeClock


@task
def double(x: int) -> int:
    return 2 * x


def body(x: int) -> int:
    return double(x).result()


def drained() -> RunControl:
    control = RunControl()
    control.request_drain("maintenance")
    return control


def test_a_run_that_is_drained_before_it_starts_is_continued_with_none(place: Place) -> None:
    """It has begun with its input and executes nothing until then."""
    with pytest.raises(GraphDrained, match="maintenance"):
        place.flow(body).invoke(4, thread(), control=drained())
    assert place.flow(body).get_state(thread()).next == ("body",)
    assert place.flow(body).invoke(None, thread()) == 8


async def test_the_same_for_coroutines_and_streams(place: Place) -> None:
    """Ainvoke and astream leave the run likewise."""
    with pytest.raises(GraphDrained):
        await place.flow(body).ainvoke(4, thread("a"), control=drained())
    with pytest.raises(GraphDrained):
        await anext(aiter(place.flow(body).astream(4, thread("b"), control=drained())))
    for name in ("a", "b"):
        assert await place.flow(body).ainvoke(None, thread(name)) == 8


def test_an_answer_that_comes_with_a_drain_is_kept(place: Place) -> None:
    """The continuation goes on behind the question."""

    def asks(_: int) -> Any:
        return interrupt("ok?")

    place.flow(asks).invoke(1, thread())
    with pytest.raises(GraphDrained):
        place.flow(asks).invoke(Command(resume="yes"), thread(), control=drained())
    assert place.flow(asks).invoke(None, thread()) == "yes"


def test_a_drained_run_that_nothing_keeps_leaves_nothing() -> None:
    """An entrypoint without a checkpointer just does not begin."""
    with pytest.raises(GraphDrained):
        entrypoint()(body).invoke(4, control=drained())


KILLED = """
import os, signal, sys
from durably import entrypoint, task

@task
def dies(x):
    if os.environ["DIES"] == "yes":
        os.kill(os.getpid(), signal.SIGKILL)
    return x

@entrypoint(checkpointer="sqlite:///runs.db")
def flow(x):
    return dies(x).result()

given = 7 if os.environ["DIES"] == "yes" else None
print(flow.invoke(given, {"configurable": {"thread_id": "t"}}, durability="async"))
"""


def test_with_durability_async_a_run_has_begun_before_its_first_step(tmp_path: Path) -> None:
    """Killed (SIGKILL) in its first step, it is continued with the input that it was given."""

    def process(dies: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DIES": dies}
        return subprocess.run(
            [sys.executable, "-c", KILLED],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert process("yes").returncode == -signal.SIGKILL
    ended = process("no")
    assert (ended.stdout.strip(), ended.returncode) == ("7", 0), ended.stderr


@pytest.mark.parametrize("given", [uuid.UUID(int=7), 7, 7.5, ("a", 1), Path("a")])
def test_a_thread_may_be_named_by_any_value_with_a_text(place: Place, given: Any) -> None:
    """States, streams, forks and what the run itself sees agree on the thread of that text."""
    seen: list[Any] = []

    def remembers(x: int, *, previous: Any = None) -> Any:
        info = get_runtime().execution_info
        seen.append(info.thread_id if info is not None else None)
        return [previous, x]

    config, text = {"configurable": {"thread_id": given}}, str(given)
    place.flow(remembers).invoke(1, config)
    assert place.flow(remembers).invoke(2, thread(text)) == [[None, 1], 2]
    flow = place.flow(remembers)
    state = flow.get_state(config)
    assert state.config["configurable"]["thread_id"] == text
    assert state == flow.get_state(thread(text))
    assert list(flow.stream(None, config)) == []
    assert list(flow.join_stream(config, timeout=5)) == [{"remembers": [[None, 1], 2]}]
    assert seen == [text, text]


def test_a_value_without_a_text_of_its_own_names_no_thread(place: Place) -> None:
    """Its text holds an address, so the next process would look for another thread."""
    with pytest.raises(ValueError, match="another in each process"):
        place.flow(body).invoke(1, {"configurable": {"thread_id": object()}})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"thread_id": "t"}, "configurable"),
        ({"checkpoint_id": "1", "configurable": {"thread_id": "t"}}, "configurable"),
        ("t", "mapping"),
        ({"configurable": "t"}, "mapping"),
        ({"configurable": {"thread_id": ""}}, "empty"),
        ({"recursion_limit": 0}, "recursion_limit must be at least 1"),
        ({"recursion_limit": "many"}, "recursion_limit"),
        ({"max_concurrency": 0}, "max_concurrency"),
    ],
)
def test_a_config_that_would_not_do_what_it_says_is_refused(config: Any, said: str) -> None:
    """Before anything runs, by every way to call an entrypoint."""
    flow = entrypoint(checkpointer=InMemorySaver())(body)
    for call in (flow.invoke, lambda *given: list(flow.stream(*given))):
        with pytest.raises((TypeError, ValueError), match=said):
            call(1, config)


def test_a_state_of_no_thread_is_refused() -> None:
    """A config without configurable addresses nothing."""
    flow = entrypoint(checkpointer=InMemorySaver())(body)
    with pytest.raises(ValueError, match="names no thread"):
        flow.get_state({})


def test_an_option_that_does_not_exist_is_refused() -> None:
    """It is not dropped, whichever the stream mode."""
    flow = entrypoint()(body)
    for mode in ("values", "updates"):
        with pytest.raises(TypeError, match="durabilty"):
            flow.invoke(1, stream_mode=mode, durabilty="sync")


def flow_of(place: Place) -> Entrypoint:
    return place.flow(body)


@pytest.mark.parametrize("names", ["*", ["body"], "body"])
def test_a_run_pauses_before_it_is_executed(place: Place, names: Any) -> None:
    """interrupt_before: the run has begun, and None continues it in another process."""
    assert flow_of(place).invoke(4, thread(), interrupt_before=names) is None
    assert flow_of(place).get_state(thread()).next == ("body",)
    assert flow_of(place).invoke(None, thread(), interrupt_before=names) == 8


def test_a_pause_needs_a_checkpointer() -> None:
    """Without one the run could not be continued."""
    with pytest.raises(RuntimeError, match="no checkpointer"):
        entrypoint()(body).invoke(4, interrupt_before="*")


def test_a_nested_call_cannot_be_paused(place: Place) -> None:
    """It is a part of its caller's run, which goes on."""
    inner = entrypoint()(body)
    with pytest.raises(ValueError, match="use interrupt"):
        place.flow(lambda x: inner.invoke(x, interrupt_before="*")).invoke(1, thread())


def test_a_waiting_run_shows_what_the_thread_had_saved(place: Place) -> None:
    """In invoke's value, in streams, and where another process follows the run."""

    def asks(x: int) -> Any:
        return {"x": x, "answer": interrupt("ok?") if x > 1 else None}

    saved = {"x": 1, "answer": None}
    flow = place.flow(asks)
    flow.invoke(1, thread())
    asked = flow.invoke(2, thread())
    [question] = asked.pop("__interrupt__")
    assert (asked, question.value) == (saved, "ok?")
    [joined] = flow.join_stream(thread(), stream_mode="values", timeout=5)
    assert joined == {**saved, "__interrupt__": (question,)}
    output = flow.invoke(None, thread(), version="v2")
    assert (output.value, output.interrupts) == (saved, (question,))


def test_attempts_are_counted_anew_behind_a_question(place: Place) -> None:
    """Two failures before it and two behind it are not four in a row."""
    failures: list[int] = []
    policy = RetryPolicy(max_attempts=3, jitter=False)

    def program(clock: FakeClock) -> Entrypoint:
        failed: list[int] = []

        @task(retry_policy=policy)
        def flaky() -> Any:
            if len(failed) < 2:
                failed.append(1)
                failures.append(1)
                raise ConnectionError("no")
            return interrupt("ok?")

        def asks(_: int) -> Any:
            return flaky().result()

        return place.flow(asks, clock=clock)

    program(FakeClock()).invoke(1, thread())
    assert program(FakeClock()).invoke(Command(resume="yes"), thread()) == "yes"
    assert len(failures) == 4


def test_attempts_of_the_entrypoint_are_counted_anew_behind_a_question(place: Place) -> None:
    """The same for its own retry policy."""
    policy = RetryPolicy(max_attempts=3, jitter=False)

    def program() -> Entrypoint:
        failed: list[int] = []

        def asks(_: int) -> Any:
            if len(failed) < 2:
                failed.append(1)
                raise ConnectionError("no")
            return interrupt("ok?")

        return entrypoint(checkpointer=place.host(clock=FakeClock()), retry_policy=policy)(asks)

    program().invoke(1, thread())
    assert program().invoke(Command(resume="yes"), thread()) == "yes"
