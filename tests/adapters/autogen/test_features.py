"""Every feature of AutoGen four ways: plain, durable, replayed, and killed after each step."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from packaging.version import Version

from .features import agents, clients, core, custom, people, teams, tools
from .features._kit import FEATURES
from .features._ways import FourWays, counted, timeless

MODULES = [agents, clients, core, custom, people, teams, tools]


INSTALLED = Version(version("autogen-agentchat"))


def rows():
    """Return the features that the installed AutoGen has."""
    return [name for name, one in FEATURES.items() if Version(one.since) <= INSTALLED]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", rows())
def test_a_feature_is_the_same_plain_durable_replayed_and_killed(tmp_path, name):
    """The same result, byte for byte on replay; each request and each effect once; no leaks."""
    feature = FEATURES[name]
    four = FourWays(feature, tmp_path)
    durable = four.durable()
    assert durable.last.status == "done", durable.last
    assert counted(durable.steps) == feature.steps
    assert "terminal" not in durable.notes
    check_replay(four.replayed("coroutine"), durable)
    logged = 0
    if feature.plain:
        plain = four.plain()
        logged = len(plain.last.logged)
        check_same(plain, durable, feature)
    check_clean(durable, logged)
    if feature.kills:
        killed = four.killed()
        steps = sum(durable.steps.values())
        # Steps that end together are recorded together, and one kill comes after all of them.
        assert killed.kills == steps or (feature.at_once and killed.kills < steps), killed.last
        check_same(killed, durable, feature)
        check_clean(killed, logged)


def check_clean(journey, logged):
    """Check that nothing is left, and nothing logged but what a plain run logs."""
    assert not any(seen.leaked or seen.logged for seen in journey.waits)
    assert not journey.last.leaked
    assert len(journey.last.logged) == logged


def check_replay(replayed, durable):
    """Check that nothing was done again, and everything is as it was, to the byte."""
    assert replayed.last.value == durable.last.value
    assert (replayed.requests, replayed.effects, replayed.steps) == ({}, {}, {})
    assert not replayed.last.leaked


def check_same(journey, durable, feature):
    """Check that the same came of it, by the same requests and effects, each as often."""
    assert timeless(journey.last.value) == timeless(durable.last.value)
    if feature.at_once:  # a kill right after one step may find another one half-way
        assert set(journey.requests) == set(durable.requests)
        assert set(journey.effects) == set(durable.effects)
    else:
        assert journey.requests == durable.requests
        assert journey.effects == durable.effects
