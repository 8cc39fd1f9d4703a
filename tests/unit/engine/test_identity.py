"""Fingerprints: what makes two requests the same, and how their difference is told."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any
from unittest.mock import MagicMock

import pytest
from pydantic import BaseModel

from durably.engine import differences, fingerprint
from durably.engine.replay.fingerprint import unpack


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Point:
    x: int
    y: int


class Model(BaseModel):
    name: str
    tags: list[str]


class Plain:
    """An object that is no data."""


def helper(x: int) -> int:
    return x


def same(one: Any, other: Any) -> bool:
    return fingerprint(one)[0] == fingerprint(other)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({3, 1, 2}, {2, 3, 1}),
        (Point(1, 2), Point(1, 2)),
        (Model(name="a", tags=["b"]), Model(name="a", tags=["b"])),
        (Plain(), Plain()),
        (threading.Lock(), threading.Lock()),
        (functools.partial(helper, 1), functools.partial(helper, 1)),
        ({"deep": [{"k": {1, 2}}]}, {"deep": [{"k": {2, 1}}]}),
        ({1: "a", 2: "b"}, {2: "b", 1: "a"}),
    ],
)
def test_what_differs_only_from_process_to_process_is_the_same(one: Any, other: Any) -> None:
    """Orders of dicts and sets, object addresses and identities do not count."""
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, "1"),
        (1, 1.0),
        (1, True),
        (None, False),
        ([1, 2], [2, 1]),
        ("a", b"a"),
        (2**70, 2**70 + 1),
        (Point(1, 2), Point(2, 1)),
        (Colour.RED, Colour.BLUE),
        (Model(name="a", tags=[]), Model(name="b", tags=[])),
        (date(2026, 1, 1), date(2026, 1, 2)),
        (functools.partial(helper, 1), functools.partial(helper, 2)),
        (Point, Model),
        ({"a": None}, {}),
        ("\ud800a", "\ud800b"),
    ],
)
def test_what_changes_the_answer_changes_the_fingerprint(one: Any, other: Any) -> None:
    """Values, types, orders of lists and names of classes count."""
    assert not same(one, other)


def test_anything_has_a_fingerprint() -> None:
    """Cycles, deep nesting and hostile objects never fail."""

    class Hostile:
        def __repr__(self) -> str:
            return "hostile"

    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    for value in (deep, Hostile(), object(), lambda: 1, range(3), 1j, {(1, 2): Hostile()}):
        print_, packed = fingerprint(value)
        assert len(print_) == 16
        unpack(packed)


def test_a_fingerprint_leaves_its_value_alone() -> None:
    """Nothing is called on an object and nothing is made on it that was not there."""
    mock = MagicMock(name="given")  # takes note of everything that is done with it
    assert same({"given": mock}, {"given": MagicMock(name="given")})
    assert mock.mock_calls == []
    assert "func" not in mock._mock_children


def test_a_cyclic_value_has_a_fingerprint() -> None:
    """A list that holds itself is cut at a depth."""
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    assert len(fingerprint(cyclic)[0]) == 16


@pytest.mark.parametrize(
    ("recorded", "now", "lines"),
    [
        ({"q": "old"}, {"q": "new"}, ["q: 'old' → 'new'"]),
        ([1, 2], [1, 3], ["[1]: 2 → 3"]),
        ([1], [1, 2], ["[1]: 2 is new"]),
        ({"a": 1, "b": 2}, {"a": 1}, ["b: 2 is gone"]),
        (1, 2, ["request: 1 → 2"]),
        ({"m": [{"text": "x"}]}, {"m": [{"text": "y"}]}, ["m[0].text: 'x' → 'y'"]),
        ([1, 2], [1, 2], []),
    ],
)
def test_differences_name_the_places(recorded: Any, now: Any, lines: list[str]) -> None:
    """One line for each place, with both sides."""
    assert list(differences(recorded, now)) == lines


def test_long_texts_are_shown_from_where_they_part() -> None:
    """A date at the end of a long prompt is seen."""
    text = "word " * 100
    [line] = differences({"p": text + "Monday"}, {"p": text + "Tuesday"})
    assert "Monday" in line
    assert "Tuesday" in line
    assert len(line) < 150


def test_of_long_texts_only_the_difference_is_shown() -> None:
    """A word in the middle of a long prompt is seen on both sides, and the line stays short."""
    text = "word " * 50
    [line] = differences(f"{text}old {text}", f"{text}new {text}")
    assert (
        line
        == "request: '…word word word old word word word…' → '…word word word new word word word…'"
    )
