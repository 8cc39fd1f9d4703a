"""Listeners cost what they override, and break nothing."""

from __future__ import annotations

import pytest

from durably.hooks import Listener, Listeners
from durably.listeners import tell

EVENTS = [name for name in vars(Listener) if not name.startswith("_")]


class Everything(Listener):
    """Notes every event it is told of."""

    def __init__(self):
        self.told = []


for _event in EVENTS:
    setattr(Everything, _event, lambda self, *args, _name=_event: self.told.append((_name, args)))


def test_every_event_of_a_listener_is_compiled():
    """Whatever a listener can override has a place, and nothing else has."""
    assert sorted(EVENTS) == sorted(Listeners.__slots__)


@pytest.mark.parametrize("event", EVENTS)
def test_an_overridden_event_is_told(event):
    """Each event reaches the listener that overrides it, with its arguments."""
    one = Everything()
    tell(getattr(Listeners([one]), event), "a", "b")
    assert one.told == [(event, ("a", "b"))]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_that_nobody_overrides_is_empty(event):
    """A listener that watches nothing leaves every tuple empty: the hot path skips it."""
    assert getattr(Listeners([Listener()]), event) == ()


def test_only_what_is_overridden_is_kept():
    """A listener for one event stands in one tuple."""

    class Replays(Listener):
        def step_replayed(self, step): ...

    one = Replays()
    compiled = Listeners([one, Listener()])
    assert [event for event in EVENTS if getattr(compiled, event)] == ["step_replayed"]
    assert compiled.step_replayed == (one.step_replayed,)


def test_an_inherited_override_counts():
    """What a base class of the listener overrides is told as well."""

    class Derived(Everything):
        pass

    one = Derived()
    tell(Listeners([one]).step_started, "step")
    assert one.told == [("step_started", ("step",))]


def test_listeners_are_told_in_order():
    """The order of registration is the order of telling."""
    first, second = Everything(), Everything()
    told = first.told = second.told = []
    compiled = Listeners([first, second])
    assert compiled.run_started == (first.run_started, second.run_started)
    tell(compiled.run_started, "run")
    assert len(told) == 2


def test_a_listener_that_raises_is_logged_and_the_others_are_told(caplog):
    """What a listener raises is logged under its name and goes no further."""

    class Broken(Listener):
        def step_started(self, step):
            raise RuntimeError("the dashboard is down")

    good = Everything()
    tell(Listeners([Broken(), good]).step_started, "step")
    assert good.told == [("step_started", ("step",))]
    assert "Broken failed in step_started; the run goes on" in caplog.text
    assert "the dashboard is down" in caplog.text


def test_an_interruption_is_not_swallowed():
    """Ctrl-C inside a listener stops the program, as it would anywhere else."""

    class Slow(Listener):
        def step_started(self, step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell(Listeners([Slow()]).step_started, "step")
