"""Every feature: plain = durable = replayed = killed after each step, and every effect once."""

from __future__ import annotations

import pytest

from .features import agents, failures, flows, kickoffs, memories, providers, remote, tasks, tools

FEATURES = [
    *agents.FEATURES,
    *failures.FEATURES,
    *kickoffs.FEATURES,
    *flows.FEATURES,
    *tasks.FEATURES,
    *providers.FEATURES,
    *memories.FEATURES,
    *remote.FEATURES,
    *tools.FEATURES,
]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: one.name)
def test_a_feature_is_the_same_all_four_ways(ways, feature):
    """Output, token usage, requests, effects and events are those of the plain program."""
    ways.all(feature)
