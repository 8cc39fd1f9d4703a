"""What a function consists of, as far as its results can depend on it."""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_CONSTANTS = (type(None), bool, int, float, complex, str, bytes)
_WRITES = frozenset({"STORE_DEREF", "DELETE_DEREF", "STORE_GLOBAL", "DELETE_GLOBAL"})


class FunctionParts(NamedTuple):
    """A function, taken apart.

    Attributes:
        facts: Plain data that stands for the code: what it does, not where it is written.
        captured: The variables of enclosing functions that it reads and does not assign.
        globals: The constants and functions of its module that it names and does not assign.
    """

    facts: tuple[Any, ...]
    captured: Mapping[str, Any]
    globals: Mapping[str, Any]


class _Code(NamedTuple):
    """What is known of a code object by itself."""

    facts: tuple[Any, ...]
    reads: tuple[str, ...]
    writes: frozenset[str]


class _EmptyCell:
    """Stands for the content of a captured variable that has no value yet."""


def function_parts(function: types.FunctionType, *, follow: bool) -> FunctionParts:
    """Take a function apart as it is now.

    A variable that the function assigns itself (``nonlocal``, ``global``) is its output, such as a
    counter of its calls, and does not count.

    Args:
        function: A plain function.
        follow: Whether constants and functions of its module count.
    """
    code = _analysed(function.__code__)
    captured = {
        name: _content(cell)
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=False
        )
        if name not in code.writes
    }
    named: dict[str, Any] = {}
    for name in code.reads if follow else ():
        value = function.__globals__.get(name)
        if name not in code.writes and _is_part(value, function.__module__):
            named[name] = value
    return FunctionParts(code.facts, captured, named)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EmptyCell


def _is_part(value: Any, module: str) -> bool:
    if isinstance(value, types.FunctionType):
        return value.__module__ == module
    return type(value) in _CONSTANTS


@functools.lru_cache(maxsize=4_096)
def _analysed(code: types.CodeType) -> _Code:
    codes = list(_nested(code))
    instructions = [one for part in codes for one in dis.get_instructions(part)]
    reads = {one.argval for one in instructions if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    writes = {one.argval for one in instructions if one.opname in _WRITES}
    return _Code(_facts(code), tuple(sorted(reads)), frozenset(writes))


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _facts(code: types.CodeType) -> tuple[Any, ...]:
    constants = tuple(
        _facts(one) if isinstance(one, types.CodeType) else one for one in code.co_consts
    )
    return (
        code.co_name,
        code.co_flags,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        code.co_code,
        code.co_exceptiontable,
        constants,
    )
