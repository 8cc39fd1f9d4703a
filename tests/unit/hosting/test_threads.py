"""What an invoke means for its thread."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from durably import Host, MemoryStorage, ResumeError
from durably.engine import drive
from durably.hosting import open_run, thread_of


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, None),
        ({}, None),
        ({"configurable": None}, None),
        ({"configurable": {"thread_id": "t"}}, "t"),
        ({"configurable": {"thread_id": 7}}, "7"),
        ({"configurable": {"thread_id": 1.5}}, "1.5"),
        ({"configurable": {"thread_id": UUID(int=7)}}, "00000000-0000-0000-0000-000000000007"),
    ],
)
def test_a_config_names_a_thread(config: Any, expected: str | None) -> None:
    """A number or a UUID is taken for its text, as in LangGraph."""
    assert thread_of(config) == expected


@pytest.mark.parametrize("thread", ["", ["t"], {"t": 1}, object()])
def test_what_is_no_thread_id_is_refused(thread: object) -> None:
    """A mistake here would mix runs up."""
    with pytest.raises(ValueError, match="thread_id"):
        thread_of({"configurable": {"thread_id": thread}})


CONFIG = {"configurable": {"thread_id": "t"}}


def finished(host: Host, given: object, *, fails: bool, same: bool) -> tuple[str, bool]:
    """Drive a run to its end; return its id and whether it was a continuation."""

    def body() -> None:
        if fails:
            raise RuntimeError("stop")

    run = open_run(host, "entry", given, CONFIG, same_input_continues=same)
    try:
        drive(run, body)
    finally:
        host.release(run)
    return run.id, run.info.resumed


def test_the_same_call_continues_an_unfinished_run() -> None:
    """A service that crashed and is asked the same again goes on where it was."""
    host = Host(MemoryStorage())
    first, _ = finished(host, {"q": 1}, fails=True, same=True)
    assert finished(host, {"q": 1}, fails=False, same=True) == (first, True)


def test_another_input_begins_a_new_run() -> None:
    """It is another call."""
    host = Host(MemoryStorage())
    first, _ = finished(host, {"q": 1}, fails=True, same=True)
    second, resumed = finished(host, {"q": 2}, fails=False, same=True)
    assert (second != first, resumed) == (True, False)


def test_the_same_call_after_a_finished_run_begins_a_new_one() -> None:
    """There is nothing to continue."""
    host = Host(MemoryStorage())
    first, _ = finished(host, {"q": 1}, fails=False, same=True)
    second, resumed = finished(host, {"q": 1}, fails=False, same=True)
    assert (second != first, resumed) == (True, False)


def test_none_continues_and_needs_a_thread_with_a_run() -> None:
    """Without either there is nothing that could be meant, and no thread stays taken."""
    host = Host(MemoryStorage())
    with pytest.raises(ResumeError):
        open_run(host, "entry", None, None, same_input_continues=True)
    with pytest.raises(ResumeError):
        open_run(host, "entry", None, CONFIG, same_input_continues=True)
    first, _ = finished(host, 1, fails=True, same=False)
    assert finished(host, None, fails=False, same=False) == (first, True)
