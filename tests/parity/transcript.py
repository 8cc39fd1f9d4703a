"""What a program says, in a form that does not tell which library it ran on.

Ids become ``<1>``, ``<2>`` … in the order in which they are first seen, so that two transcripts are
equal only if the same things have the same ids. Times become ``<time>``. Objects become their
class's name and their fields.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

ID_KEYS = frozenset({"id", "checkpoint_id", "run_id", "task_id"})
TIME_KEYS = frozenset({"created_at", "timestamp", "updated_at"})
SAME_NAME = {"InterruptV2": "Interrupt"}
_ID = re.compile(
    r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b"
    r"|(?<=\w:)[0-9a-z]{10}$"
)


class Normal:
    """Makes values comparable; remembers ids, so one for each transcript."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def of(self, value: Any, key: str = "") -> Any:
        """Return *value*, found under *key*, without what differs from run to run."""
        if key in ID_KEYS and isinstance(value, str) and value:
            return self._id(value)
        if key in TIME_KEYS and value is not None:
            return "<time>"
        if isinstance(value, str):
            return _ID.sub(lambda found: self._id(found[0]), value)
        if isinstance(value, Mapping):
            return {self.of(k): self.of(v, str(k)) for k, v in value.items()}
        if isinstance(value, BaseException):
            return f"{type(value).__name__}({value})"
        return self._object(value)

    def _object(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return "<time>"
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._fields(value, value._asdict())
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
            return self._fields(value, fields)
        if isinstance(value, list):
            return [self.of(one) for one in value]
        if isinstance(value, tuple):
            return tuple(self.of(one) for one in value)
        return value

    def _fields(self, value: Any, fields: Mapping[str, Any]) -> Any:
        name = type(value).__name__
        told = {one: self.of(field, one) for one, field in fields.items()}
        return (SAME_NAME.get(name, name), told)

    def _id(self, found: str) -> str:
        return self._ids.setdefault(found, f"<{len(self._ids) + 1}>")


class Say:
    """What a program calls to tell what it saw.

    Args:
        side: ``langgraph`` or ``durably``.

    Attributes:
        lines: The transcript.
    """

    def __init__(self, side: str) -> None:
        self.side = side
        self.lines: list[Any] = []
        self._normal = Normal()

    def __call__(self, value: Any, **differs: Any) -> None:
        """Tell *value*.

        Where the two sides differ on purpose, the program says what each of them has to tell
        (``langgraph=…, durably=…``) and ``why``: the words by which the page for newcomers from
        LangGraph lists the difference.
        """
        told = self._normal.of(value)
        if not differs:
            self.lines.append(told)
            return
        assert differs.keys() == {"langgraph", "durably", "why"}
        assert differs["langgraph"] != differs["durably"], "this is no difference"
        assert told == differs[self.side], f"on {self.side}, where {differs['why']!r}"
        self.lines.append(differs["why"])

    def attempt(self, call: Any, *args: Any, message: bool = False, **options: Any) -> None:
        """Tell what *call* returns, or the class (and message) of what it raises."""
        differs = {name: options.pop(name) for name in _DIFFERS if name in options}
        try:
            told = call(*args, **options)
        except Exception as error:
            told = _raised(error, message)
        self(told, **differs)

    async def aattempt(self, call: Any, *args: Any, message: bool = False, **options: Any) -> None:
        """Like :meth:`attempt`, for coroutine functions."""
        differs = {name: options.pop(name) for name in _DIFFERS if name in options}
        try:
            told = await call(*args, **options)
        except Exception as error:
            told = _raised(error, message)
        self(told, **differs)


_DIFFERS = ("langgraph", "durably", "why")


def _raised(error: Exception, message: bool) -> tuple[str, ...]:
    said = ("raised", type(error).__name__)
    return (*said, str(error)) if message else said
