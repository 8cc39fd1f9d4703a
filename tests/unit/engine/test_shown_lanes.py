"""Lanes as people are shown them: without the prints of what the lanes were given."""

from __future__ import annotations

import pytest

from durably.engine import shown_lane
from durably.functional.streams.lane_namespaces import named


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("crew:1a2b3c4d/task:00ff00ff/agent", "crew/task/agent"),
        ("agent:writer:1a2b3c4d#2/add~faee4c0eb58efcbe", "agent:writer#2/add~faee4c0eb58efcbe"),
        ("crew/task[0]/agent:Ada", "crew/task[0]/agent:Ada"),
        ("", ""),
    ],
)
def test_a_print_is_not_shown(path: str, shown: str) -> None:
    """Prints end segments or stand before a number; names and steps stay as they are."""
    assert shown_lane(path) == shown


def test_a_namespace_names_the_entrypoint_only() -> None:
    """The segment of a nested entrypoint stands for its name, whatever it was given."""
    assert named("entrypoint:inner:1a2b3c4d#1") == "inner"
    assert named("entrypoint:inner") == "inner"
