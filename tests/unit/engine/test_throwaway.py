"""Runs that nobody will continue: questions answered where they arise, values that stay alive."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from durably import EncodeError
from durably.engine import Call, Run, Scope, adrive, current, drive


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


def opened(runs: Any, **options: Any) -> Run:
    host, run = runs.open()
    for name, value in options.items():
        setattr(host.options, name, value)
    return run


def test_a_question_is_put_the_programs_own_way(runs: Any) -> None:
    """The host that wants it has the program ask at once; the answer is a step and replays."""
    asked: list[str] = []

    def type_in() -> str:
        asked.append("at the terminal")
        return "yes"

    def body(*, broken: bool) -> Any:
        answer = here().ask("publish", {"message": "Publish?"}, here=type_in)
        if broken:
            raise RuntimeError("later")
        return answer

    host, run = runs.open()
    host.options.asks_here = True
    assert drive(run, lambda: body(broken=True)).status == "failed"
    host.release(run)
    host, run = runs.open()
    host.options.asks_here = True
    assert drive(run, lambda: body(broken=False)).value == "yes"
    host.release(run)
    assert asked == ["at the terminal"]


async def test_a_coroutine_puts_it_the_same_way(runs: Any) -> None:
    """An adapter's coroutine is awaited for the answer."""

    async def type_in() -> str:
        return "yes"

    async def body() -> Any:
        return await here().aask("publish", {"message": "Publish?"}, here=type_in)

    outcome = await adrive(opened(runs, asks_here=True), body)
    assert outcome.value == "yes"


def test_elsewhere_the_run_waits_all_the_same(runs: Any) -> None:
    """Without the option the program's own way is not taken."""
    outcome = drive(opened(runs), lambda: here().ask("q", "Publish?", here=lambda: "yes"))
    assert (outcome.status, len(outcome.interrupts)) == ("waiting", 1)


def test_a_value_that_cannot_be_written_is_stored_as_the_host_says(runs: Any) -> None:
    """The program gets the very value, the journal what the host makes of it."""
    lock = threading.Lock()
    run = opened(runs, unwritable=lambda value: (run.codec.encode(repr(value)), {}))
    outcome = drive(run, lambda: here().step(Call("tool", "t", {}), lambda: lock) is lock)
    assert outcome.value is True


def test_a_value_that_cannot_be_written_stops_any_other_run(runs: Any) -> None:
    """What the journal does not hold could not be given back when the run goes on."""

    def body() -> None:
        here().step(Call("tool", "t", {}), threading.Lock)

    outcome = drive(opened(runs), body)
    assert isinstance(outcome.error, EncodeError)
    with pytest.raises(EncodeError, match="lock"):
        raise outcome.error
