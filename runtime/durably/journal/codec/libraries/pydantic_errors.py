"""pydantic's ValidationError, which only pydantic can make: from its list of errors."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from ormsgpack import Ext

from ....errors import StepFailed
from .. import format as fmt
from ..decoder import Read, Reader
from ..encoder import Writer

_NAME = "pydantic_core:ValidationError"
_PARTS = ("type", "loc", "msg", "input", "ctx")


def write_validation_error(writer: Writer, error: Any) -> Ext:
    """Write a ValidationError; an input that cannot be written is left out."""
    lines: list[list[Any]] = []
    for line in error.errors(include_url=False):
        kept = writer.kept({part: line[part] for part in _PARTS if part in line})
        lines.append([kept.get(part) for part in _PARTS])
    return writer.ext(fmt.VALIDATION, [error.title, writer.node(str(error)), lines])


def _read_validation_error(reader: Reader, data: bytes) -> BaseException:
    title, text, lines = reader.unpack(data)
    core: Any = sys.modules.get("pydantic_core")
    if core is None:
        return StepFailed(_NAME, text)
    details = [_detail(core, line) for line in lines]
    try:
        error: BaseException = core.ValidationError.from_exception_data(title, details)
    except (TypeError, KeyError):  # this version of pydantic has other errors
        return StepFailed(_NAME, text)
    error.args = ()  # as one that pydantic raised
    return error


def _detail(core: Any, line: list[Any]) -> dict[str, Any]:
    kind, loc, msg, given, ctx = line
    known: Any = kind
    try:
        core.PydanticKnownError(kind, ctx or {})
    except KeyError:  # raised by the program with a type of its own
        known = core.PydanticCustomError(kind, msg, ctx)
    detail = {"type": known, "loc": loc, "input": given}
    return {**detail, "ctx": ctx} if ctx else detail


READERS: Final[Mapping[int, Read]] = {fmt.VALIDATION: _read_validation_error}
"""By extension number."""
