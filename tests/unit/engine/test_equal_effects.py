"""Effects whose requests are equal in one lane are told: only their order tells them apart."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from durably import Listener, StepInfo
from durably.engine import Call, Scope, current


class Told(Listener):
    """Notes which equal effects it is told of, and the rows of those that might be meant."""

    def __init__(self) -> None:
        self.equal: list[tuple[str, int]] = []

    def effect_ambiguous(self, step: StepInfo, rows: list[int]) -> None:
        self.equal.append((step.name, len(rows)))


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


def do(kind: Any, name: str, request: Any = None, value: Any = "done", **more: Any) -> Any:
    return here().step(Call(kind, name, request, **more), lambda: value)


@pytest.mark.parametrize("kind", ["tool", "task", "code"])
def test_two_equal_effects_are_told_when_the_second_is_recorded(runs: Any, kind: Any) -> None:
    """Once for each name, however many there are."""
    told = Told()

    def body() -> None:
        for amount in (2, 3, 2, 2, 3):
            do(kind, "pay", amount)
        for _ in range(2):
            do(kind, "mail", None)

    runs.drive(body, listeners=[told])
    assert told.equal == [("pay", 0), ("mail", 0)]


def test_equal_effects_in_lanes_of_their_own_are_not_told(runs: Any) -> None:
    """Each is known by the lane that it lies in."""
    told = Told()

    def body() -> None:
        for customer in ("ann", "bob"):
            with here().child("crew", given=customer).entered():
                do("tool", "pay", 2)

    runs.drive(body, listeners=[told])
    assert told.equal == []


@pytest.mark.parametrize("kind", ["model", "memory", "human"])
def test_equal_steps_that_change_nothing_are_not_told(runs: Any, kind: Any) -> None:
    """A prompt may be sent twice; so may a step that is pure."""
    told = Told()

    def body() -> None:
        for _ in range(2):
            do(kind, "m", "same")
            do("task", "state", None, pure=True)

    runs.drive(body, listeners=[told])
    assert told.equal == []


@pytest.mark.parametrize(
    ("values", "equal"), [(("ann", "bob"), [("pay", 2)]), (("paid", "paid"), [])]
)
def test_a_request_of_this_process_that_fits_several_recorded_ones_is_told(
    runs: Any, values: tuple[str, str], equal: list[Any]
) -> None:
    """It is given the first of them, unless that makes no difference nobody need be told."""
    told = Told()
    seen: list[Any] = []

    def body(*, is_broken: bool) -> None:
        seen.clear()
        for value in values:
            seen.append(do("tool", "pay", {"key": str(uuid.uuid4())}, value))
        if is_broken:
            raise RuntimeError("stop")

    runs.drive(lambda: body(is_broken=True))
    runs.drive(lambda: body(is_broken=False), listeners=[told])
    assert tuple(seen) == values
    assert told.equal == equal
