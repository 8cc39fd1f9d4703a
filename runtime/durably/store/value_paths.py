"""Paths into a value, and the texts that lie at their ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_STEP = re.compile(r"\[([^\]]*)\]|\{([^}]*)\}|([^.\[{]+)")


def texts_at(value: Any, path: str) -> list[str]:
    """Return the texts at *path* of a JSON value; none where there is nothing.

    Args:
        value: JSON data.
        path: As :class:`~durably.store.IndexConfig` says; ``""`` and ``"$"`` are the whole value.
    """
    if path in ("", "$"):
        return [_text(value)]
    return [_text(end) for end in _ends(value, path) if end is not None]


def _ends(value: Any, path: str) -> list[Any]:
    found = [value]
    for step in _STEP.finditer(path):
        found = [part for whole in found for part in _parts(whole, step)]
    return found


def _parts(whole: Any, step: re.Match[str]) -> Iterable[Any]:
    """Yield what one step leads to."""
    index, several, name = step.groups()
    if index is not None:
        return _elements(whole, index)
    if several is not None:
        return [end for path in several.split(",") for end in _ends(whole, path.strip())]
    if name == "*":
        return whole.values() if isinstance(whole, dict) else _elements(whole, "*")
    return [whole[name]] if isinstance(whole, dict) and name in whole else []


def _elements(whole: Any, index: str) -> list[Any]:
    if not isinstance(whole, list):
        return []
    if index == "*":
        return whole
    try:
        return [whole[int(index)]]
    except (ValueError, IndexError):
        return []


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(value)
