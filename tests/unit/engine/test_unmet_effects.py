"""Recorded effects that the continued program never comes to are told when they are left."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from durably import Listener, ProgramChanged, RetryPolicy, StepInfo, StepPolicy, Suspended
from durably.engine import Call, Scope, current, drive
from durably.journal.records import EffectsUnmet, RunEnded, StepEnded

HEX_ID = 8


class Told(Listener):
    """Notes the effects of which it is told that nobody came to them."""

    def __init__(self) -> None:
        self.unmet: list[tuple[str, str, int, Any]] = []

    def effect_unmet(self, step: StepInfo, row: int, request: Any) -> None:
        self.unmet.append((step.lane, step.label, row, request))

    @property
    def names(self) -> list[str]:
        return [label for _, label, _, _ in self.unmet]


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


def do(kind: Any, name: str, request: Any = None, execute: Any = None, **more: Any) -> Any:
    """Take a step of the run here."""
    return here().step(Call(kind, name, request, **more), execute or (lambda: f"did {name}"))


def broken() -> None:
    raise RuntimeError("stop")


class Course:
    """Runs the processes of one run; each is a body, and all but the last end unfinished."""

    def __init__(self, runs: Any) -> None:
        self._runs = runs

    def dies(self, body: Callable[[], Any], **options: Any) -> Told:
        return self._driven(lambda: (body(), broken()), "failed", **options)

    def ends(self, body: Callable[[], Any], **options: Any) -> Told:
        return self._driven(body, "done", **options)

    def _driven(self, body: Callable[[], Any], status: str, **options: Any) -> Told:
        told = Told()
        outcome = self._runs.drive(body, listeners=[told], **options)
        assert outcome.status == status, outcome.error
        return told

    def rows(self) -> list[int]:
        return [row for one in self._runs.records(EffectsUnmet) for row in one.rows]

    def row_of(self, name: str) -> int:
        """Return the row of a step's newest outcome."""
        read = self._runs.host().journal.read("t")
        found = [one for one in read if isinstance(one.record, StepEnded)]
        return max(one.seq for one in found if one.record.name == name)


@pytest.fixture
def course(runs: Any) -> Course:
    return Course(runs)


@pytest.mark.parametrize("kind", ["tool", "task", "code"])
def test_an_effect_that_nobody_comes_to_is_told(course: Course, kind: Any) -> None:
    """Its name, lane, row and request are told once the program has ended, and recorded."""

    def first() -> None:
        with here().child("crew").entered():
            do(kind, "send", {"to": "ann"}, label="send(to='ann')")
            do(kind, "file", {"to": "ann"})

    def second() -> None:
        with here().child("crew").entered():
            do(kind, "file", {"to": "ann"})

    course.dies(first)
    row = course.row_of("send")
    told = course.ends(second)
    assert told.unmet == [("crew", "send(to='ann')", row, {"to": "ann"})]
    assert course.rows() == [row]


@pytest.mark.parametrize("kind", ["model", "memory", "human"])
def test_a_step_that_is_no_effect_is_not_told(course: Course, kind: Any) -> None:
    """What a model answered may be forgotten: it changed nothing outside."""
    course.dies(lambda: do(kind, "m", "question"))
    assert course.ends(lambda: None).unmet == []


def test_a_pure_step_is_not_told(course: Course) -> None:
    """A step that surely changed nothing outside is told like a model's answer: not at all."""
    course.dies(lambda: do("task", "begins", None, pure=True))
    assert course.ends(lambda: None).unmet == []


def test_an_effect_half_way_that_nobody_comes_to_is_told(runs: Any, course: Course) -> None:
    """A start marker without an outcome may stand for an effect that has happened."""

    def half_way() -> None:
        scope = here()
        step = scope.open(Call("tool", "pay", {"amount": 2}, effect=True))
        step.begin()

    course.dies(half_way)
    told = course.ends(lambda: do("model", "m", "hello"))
    [(_, name, _, request)] = told.unmet
    assert (name, request) == ("pay", {"amount": 2})


def test_nothing_is_told_of_a_program_that_comes_to_all(course: Course) -> None:
    """Also where its requests differ from the recorded ones in text that each process makes."""

    def body() -> None:
        do("tool", "pay", {"key": str(uuid.uuid4())}, effect=True)
        do("tool", "mail", {"to": "ann"})

    course.dies(body)
    assert course.ends(body).unmet == []


def test_nothing_is_told_while_the_run_can_go_on(course: Course) -> None:
    """A run that fails once more may come to its effects the next time."""

    def body() -> None:
        do("tool", "pay", {"amount": 2})

    course.dies(body)
    assert course.dies(lambda: None).unmet == []
    assert course.ends(body).unmet == []


def test_effects_inside_a_replayed_step_are_not_told(course: Course) -> None:
    """The step comes back as a whole: its code is not executed."""

    def inside() -> str:
        do("tool", "pay", {"amount": 2})
        return "done"

    def body() -> None:
        do("task", "order", {"of": "ann"}, inside)

    course.dies(body)
    told = course.ends(body)
    assert told.unmet == []


def test_effects_inside_a_step_that_was_found_by_another_request_are_not_told(
    course: Course,
) -> None:
    """A step that held an id of its process and died half-way goes on in the same inner lane."""

    def order(*, is_broken: bool) -> None:
        def inside() -> None:
            do("tool", "pay", {"amount": 2})
            if is_broken:
                broken()

        do("task", "order", {"id": uuid.uuid4().hex[:HEX_ID]}, inside)

    with pytest.raises(AssertionError):
        course.ends(lambda: order(is_broken=True))
    course.dies(lambda: order(is_broken=False))
    assert course.ends(lambda: order(is_broken=False)).unmet == []


def test_of_a_step_that_nobody_comes_to_the_effects_inside_are_not_told_too(
    course: Course,
) -> None:
    """The outermost step says it all, unless it was no effect itself."""

    def order() -> None:
        do("task", "order", None, lambda: do("tool", "pay", None))
        do("model", "plan", None, lambda: do("tool", "search", None))

    course.dies(order)
    assert course.ends(lambda: None).names == ["order", "search"]


def test_a_lane_that_a_framework_entered_twice_is_not_told(course: Course) -> None:
    """An effect of the first entry was met, also where the second one goes another way."""

    def body() -> None:
        for attempt in range(2):
            with here().child("agent", owner="agent").entered():
                try:
                    turn(attempt)
                except ValueError:
                    continue

    def turn(attempt: int) -> None:
        with here().child("agent", owner="agent").entered():
            do("tool", f"tool{attempt}", None)
            if not attempt:
                raise ValueError("again")

    course.dies(body)
    assert course.ends(body).unmet == []


@pytest.mark.parametrize("dies_in", [0, 2], ids=["after the step", "in the second attempt"])
def test_an_attempt_that_is_followed_by_another_is_not_told(course: Course, dies_in: int) -> None:
    """What a failed attempt did inside its step is over; a process begins with the next one."""
    attempts: list[int] = []

    def inside() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            do("tool", "pay", None)
            raise ConnectionError("again")
        if len(attempts) == dies_in:
            here().run.stop(KeyboardInterrupt())

    def body() -> None:
        policy = StepPolicy(retry=RetryPolicy(initial_interval=0.0, jitter=False))
        do("task", "order", None, inside, policy=policy)

    course.dies(body)
    assert course.ends(body).unmet == []


def test_a_step_that_is_executed_again_without_its_effect_tells_so_at_its_end(
    course: Course,
) -> None:
    """Later processes replay the step as a whole, so this is when it is known; it is told once."""

    def order(inside: Callable[[], Any]) -> None:
        do("task", "order", None, inside)

    def pays() -> None:
        do("tool", "pay", {"amount": 2})
        broken()

    with pytest.raises(AssertionError):
        course.ends(lambda: order(pays))
    told = course.dies(lambda: order(lambda: None))
    assert told.names == ["pay"]
    assert course.ends(lambda: order(lambda: None)).unmet == []
    assert len(course.rows()) == 1


def test_what_a_cache_served_is_not_told(course: Course) -> None:
    """Nothing was executed, so nothing can be missing."""

    def body() -> None:
        step = here().open(Call("tool", "search", "tea"))
        step.begin()
        step.cached = True
        step.finish("leaves")

    course.dies(body)
    assert course.ends(lambda: None).unmet == []


def test_a_failed_effect_that_ended_the_run_is_not_told(course: Course) -> None:
    """It is executed again, though its request holds an id of its process."""

    def body(*, is_broken: bool) -> None:
        do("tool", "pay", {"key": str(uuid.uuid4())}, broken if is_broken else None)

    with pytest.raises(AssertionError):
        course.ends(lambda: body(is_broken=True))
    assert course.ends(lambda: body(is_broken=False)).unmet == []


def test_under_error_the_run_does_not_end_well(runs: Any, course: Course) -> None:
    """It fails with ProgramChanged, which names the effect; under another rule it ends."""
    course.dies(lambda: do("tool", "pay", {"amount": 2}, label="pay(amount=2)"))
    outcome = runs.drive(lambda: "value", on_change="error")
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ProgramChanged)
    assert f"pay(amount=2) (row {course.row_of('pay')})" in str(outcome.error)
    assert course.rows() == []
    assert course.ends(lambda: "value").names == ["pay(amount=2)"]
    assert runs.records(RunEnded)[-1].status == "done"


def test_under_error_a_step_that_left_its_effect_is_recorded_before_the_run_stops(
    runs: Any, course: Course
) -> None:
    """What the step did is not lost: it is not executed again under another rule."""
    done: list[str] = []

    def pays() -> None:
        do("tool", "pay", {"amount": 2})
        broken()

    def body() -> None:
        do("task", "order", None, lambda: done.append("order"))

    with pytest.raises(AssertionError):
        course.ends(lambda: do("task", "order", None, pays))
    outcome = runs.drive(body, on_change="error")
    assert isinstance(outcome.error, ProgramChanged | Suspended)
    course.ends(body)
    assert done == ["order"]


def test_consumed_items_do_not_stop_a_run_under_error(runs: Any, course: Course) -> None:
    """Where the arguments say which item an effect is about, the item may be gone; it is told."""
    course.dies(lambda: do("tool", "send", {"to": "ann"}))
    host = runs.host()
    told = Told()
    _, run = runs.open(on_change="error", listeners=[told])
    run.options.items = ("send",)
    outcome = drive(run, lambda: "value")
    host.release(run)
    assert outcome.status == "done"
    assert told.names == ["send"]
