"""Paths into values."""

from __future__ import annotations

from typing import Any

import pytest

from durably.store.value_paths import texts_at

VALUE: dict[str, Any] = {
    "title": "T",
    "n": 3,
    "yes": True,
    "none": None,
    "a": {"b": {"c": "deep"}},
    "tags": ["x", "y"],
    "parts": [{"t": "1", "s": [{"p": "i"}, {"p": "j"}]}, {"t": "2"}, {"u": 0}],
}


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("title", ["T"]),
        ("n", ["3"]),
        ("yes", ["True"]),
        ("none", []),
        ("missing", []),
        ("title.more", []),
        ("a.b.c", ["deep"]),
        ("a.b", ['{"c": "deep"}']),
        ("tags", ['["x", "y"]']),
        ("tags[0]", ["x"]),
        ("tags[-1]", ["y"]),
        ("tags[2]", []),
        ("tags[-3]", []),
        ("tags[x]", []),
        ("title[0]", []),
        ("tags[*]", ["x", "y"]),
        ("tags.*", ["x", "y"]),
        ("parts[*].t", ["1", "2"]),
        ("parts[*].s[*].p", ["i", "j"]),
        ("a.*.c", ["deep"]),
        ("{title,a.b.c, n}", ["T", "deep", "3"]),
        ("parts[0].{t,missing}", ["1"]),
    ],
)
def test_texts_at_a_path(path: str, texts: list[str]):
    """A path leads to the texts at its end, in order, and to nothing where there is nothing."""
    assert texts_at(VALUE, path) == texts


@pytest.mark.parametrize("path", ["$", ""])
def test_whole_value(path: str):
    """The root is the value as JSON with sorted keys, so that equal values make equal texts."""
    assert texts_at({"b": "ü", "a": 1}, path) == ['{"a": 1, "b": "ü"}']
