"""Filters: what an item's value must hold, compiled into a function that says whether it does."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Predicate: TypeAlias = Callable[[Any], bool]
"""Says whether a value fulfils a condition."""

_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def compiled(wanted: Mapping[str, Any]) -> Predicate:
    """Return what says whether an item's value fulfils a filter.

    Raises:
        ValueError: An operator is unknown, or is given what has no order.
    """
    return _fields(wanted)


def _condition(wanted: Any) -> Predicate:
    if isinstance(wanted, Mapping):
        if any(isinstance(name, str) and name.startswith("$") for name in wanted):
            return _operators(wanted)
        return _fields(wanted)
    if isinstance(wanted, list | tuple):
        return _elements(wanted)
    return _equal(wanted)


def _fields(wanted: Mapping[str, Any]) -> Predicate:
    conditions = [(name, _condition(part)) for name, part in wanted.items()]

    def holds(value: Any) -> bool:
        return isinstance(value, dict) and all(
            condition(value.get(name)) for name, condition in conditions
        )

    return holds


def _elements(wanted: Sequence[Any]) -> Predicate:
    conditions = [_condition(part) for part in wanted]

    def holds(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) == len(conditions)
            and all(condition(part) for condition, part in zip(conditions, value, strict=True))
        )

    return holds


def _operators(wanted: Mapping[str, Any]) -> Predicate:
    conditions = [_operator(name, bound) for name, bound in wanted.items()]
    return lambda value: all(condition(value) for condition in conditions)


def _operator(name: str, bound: Any) -> Predicate:
    if name == "$eq":
        return _equal(bound)
    if name == "$ne":
        equal = _equal(bound)
        return lambda value: not equal(value)
    if name not in _ORDERINGS:
        known = ", ".join(["$eq", "$ne", *_ORDERINGS])
        raise ValueError(f"unknown operator {name!r} in a filter; there are {known}")
    if not isinstance(bound, int | float | str):
        raise ValueError(  # noqa: TRY004 - as an unknown operator
            f"{name} in a filter needs a number or a string, not {bound!r}"
        )
    return _ordered(_ORDERINGS[name], bound)


def _equal(wanted: Any) -> Predicate:
    same = list(wanted) if isinstance(wanted, tuple) else wanted  # a stored tuple is a list
    return lambda value: bool(value == same)


def _ordered(compare: Callable[[Any, Any], bool], bound: float | str) -> Predicate:
    number = _number(bound)

    def holds(value: Any) -> bool:
        other = _number(value)
        if number is not None and other is not None:
            return compare(other, number)
        return isinstance(value, str) and isinstance(bound, str) and compare(value, bound)

    return holds


def _number(value: Any) -> float | None:
    """Return a number, also one written as a string, which is how LangGraph compares."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
