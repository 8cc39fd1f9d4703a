"""Every feature of AutoGen four ways: plain, durable, replayed, and killed after each step."""

from __future__ import annotations

import pytest

from .features import agents, clients, core, custom, people, teams, tools
from .features._kit import FEATURES
from .features._ways import FourWays, counted, timeless

MODULES = [agents, clients, core, custom, people, teams, tools]


@pytest.fixture
def ways(tmp_path):
    """Return a function that prepares a feature to be run."""
    return lambda name: FourWays(FEATURES[name], tmp_path)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_is_the_same_plain_durable_replayed_and_killed(ways, name):
    """The same result, byte for byte on replay; each request and each effect once; no leaks."""
    four = ways(name)
    feature = four.feature
    durable = four.durable()
    assert durable.last.status == "done", durable.last
    assert counted(durable.steps) == feature.steps
    logged = 0
    if feature.plain:
        plain = four.plain()
        logged = len(plain.last.logged)
        assert timeless(durable.last.value) == timeless(plain.last.value)
        assert durable.requests == plain.requests
        assert durable.effects == plain.effects
    assert "terminal" not in durable.notes

    for way in ("script", "coroutine"):
        replayed = four.replayed(way)
        assert replayed.last.value == durable.last.value
        assert (replayed.requests, replayed.effects, replayed.steps) == ({}, {}, {})
        assert not replayed.last.leaked

    killed = four.killed()
    assert killed.kills == sum(durable.steps.values()), killed.last
    assert timeless(killed.last.value) == timeless(durable.last.value)
    if feature.at_once:  # a kill right after one step may find another one half-way
        assert set(killed.requests) == set(durable.requests)
        assert set(killed.effects) == set(durable.effects)
    else:
        assert killed.requests == durable.requests
        assert killed.effects == durable.effects

    for journey in (durable, killed):
        assert not any(seen.leaked or seen.logged for seen in journey.waits)
        assert not journey.last.leaked
        assert len(journey.last.logged) == logged
