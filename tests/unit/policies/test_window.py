"""The sliding window of a rate: never more than the limit within any window, whatever clocks do."""

from __future__ import annotations

import random

import pytest

from durably import RatePolicy
from durably.policies.window import Window


def window(**limits) -> Window:
    return Window(RatePolicy(**limits))


def test_a_window_lets_its_limit_through_and_then_one_as_each_leaves():
    """The next may begin when the oldest is a whole window ago."""
    w = window(requests=2)
    for at in (0.0, 10.0):
        assert w.wait(at, 0) == 0
        w.take(at, 0)
    assert w.wait(15.0, 0) == 45.0
    assert w.wait(59.9, 0) == pytest.approx(0.1)
    assert w.wait(60.0, 0) == 0


def test_no_window_ever_holds_more_than_the_limit():
    """Whenever callers come, any span of the window's length has at most the limit in it."""
    randomly, now, begun = random.Random(7), 0.0, []
    w = window(requests=20, tokens=1000)
    for _ in range(500):
        now += randomly.expovariate(1.0)
        tokens = randomly.randrange(1, 120)
        while wait := w.wait(now, tokens):
            now += wait
        w.take(now, tokens)
        w = Window(RatePolicy(requests=20, tokens=1000), w.packed())
        begun.append((now, tokens))
        inside = [one for one in begun if one[0] > now - 60 + 1e-6]
        assert len(inside) <= 20
        assert sum(one[1] for one in inside) <= 1000


def test_tokens_are_counted_and_corrected():
    """What a step did not use is there for the next one."""
    w = window(tokens=100)
    w.take(0.0, 90)
    assert w.wait(1.0, 20) == 59.0
    w.correct(0.0, -50)
    assert w.wait(1.0, 20) == 0


def test_a_step_larger_than_the_limit_has_the_window_to_itself():
    """It would wait for ever otherwise."""
    w = window(tokens=100)
    assert w.wait(0.0, 500) == 0
    w.take(0.0, 500)
    assert w.wait(1.0, 1) == 59.0
    assert w.wait(60.0, 500) == 0


def test_a_server_closes_the_window():
    """Nothing is let through until the time that it asked for is over."""
    w = window(requests=9)
    w.close(100.0, 30.0)
    assert w.wait(110.0, 0) == 20.0
    w.close(110.0, 5.0)
    assert w.wait(110.0, 0) == 20.0
    assert w.wait(130.0, 0) == 0


def test_a_clock_that_was_set_back_is_not_waited_for():
    """What lies more than a window ahead was written by another clock."""
    w = window(requests=1)
    w.take(10_000.0, 0)
    w.close(10_000.0, 600.0)
    assert w.wait(100.0, 0) == 0
    w.take(100.0, 0)
    assert w.wait(100.0, 0) == 60.0


@pytest.mark.parametrize("packed", [b"", b"\xff\x00", b"\x80", b"\xc0", b"\x81\xa4bins\x01"])
def test_what_is_no_window_is_an_empty_one(packed):
    """A cache may hold anything; a limit does not fail for it."""
    w = Window(RatePolicy(requests=1), packed)
    assert w.wait(0.0, 0) == 0
