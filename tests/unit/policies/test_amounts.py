"""Amounts as people write them."""

from __future__ import annotations

import pytest

from durably import Budget, RatePolicy
from durably.policies import amount, budget, duration
from durably.policies.amounts import rate


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("2 h 5 s", 7205),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("2d", 172_800),
        (7, 7),
        (0.5, 0.5),
    ],
)
def test_durations(said, seconds):
    """A number counts seconds."""
    assert duration(said) == seconds


@pytest.mark.parametrize("said", ["", "5", "5 x", "m5", "-5s", 0, -1, True, None, float("inf"), []])
def test_these_are_no_durations(said):
    """A text needs its unit, and time does not stand still."""
    with pytest.raises(ValueError, match="duration"):
        duration(said)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("2 USD", (2.0, "usd")),
        ("$2.50", (2.5, "usd")),
        ("2usd", (2.0, "usd")),
        ("200ktok", (200_000, "tokens")),
        ("1_000 tokens", (1000, "tokens")),
        ("1.5M tokens", (1_500_000, "tokens")),
        ("4", (4.0, "")),
        (4, (4.0, "")),
    ],
)
def test_amounts(said, found):
    """Money, tokens, or a bare number where the unit is known."""
    assert tuple(amount(said)) == found


@pytest.mark.parametrize("said", ["", "two", "2 EUR", "$2 USD", "-2", 0, "0USD", None, True, "nan"])
def test_these_are_no_amounts(said):
    """A misspelt limit is no limit."""
    with pytest.raises(ValueError, match="amount"):
        amount(said)


def test_budgets():
    """A budget is for each run unless it says otherwise."""
    assert budget("2USD") == Budget(usd=2.0)
    assert budget("thread:200ktok") == Budget(tokens=200_000, scope="thread")
    for said in ("2", "crew:2USD", "2EUR"):
        with pytest.raises(ValueError, match=r"budget|amount|of what"):
            budget(said)


def test_rates():
    """Requests, tokens or both, for one and the same time."""
    assert rate("60rpm, 90ktpm") == RatePolicy(requests=60, tokens=90_000)
    assert rate("5/s") == RatePolicy(requests=5, per=1)
    assert rate("1000/10m") == RatePolicy(requests=1000, per=600)
    assert rate("2Mtok/h") == RatePolicy(tokens=2_000_000, per=3600)
    for said in ("", "60", "60rpm,60rpm", "60rpm,1tps", "x/s", "5/never"):
        with pytest.raises(ValueError, match=r"rate|twice|duration"):
            rate(said)
