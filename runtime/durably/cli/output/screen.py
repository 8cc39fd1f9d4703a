"""Where lines for people go: marks the terminal can show, colour where it is wanted."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import IO

import click

_PLAIN_WIDTH = 100
_MAX_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs in front of lines."""

    begin: str = "▶"
    again: str = "↻"
    done: str = "✓"
    replayed: str = "↺"
    failed: str = "✖"
    waiting: str = "⏸"
    warning: str = "⚠"
    ended: str = "✔"
    stopped: str = "■"
    span: str = "●"
    arrow: str = "→"
    ellipsis: str = "…"


_ASCII = Marks(
    begin=">",
    again="~",
    done="+",
    replayed="=",
    failed="x",
    waiting="?",
    warning="!",
    ended="+",
    stopped="#",
    span="*",
    arrow="->",
    ellipsis="...",
)
_UNICODE = Marks()


class Screen:
    """One stream of lines for people.

    ``NO_COLOR`` (https://no-color.org), a terminal without colours and a stream that is no
    terminal switch colours off; an encoding that lacks the marks gets ASCII in their place.

    Attributes:
        marks: The signs to use.
        width: Columns to fill.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "ascii"
        is_terminal = stream.isatty()
        self._is_colored = (
            is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        columns = shutil.get_terminal_size().columns if is_terminal else _PLAIN_WIDTH
        self.width = min(columns, _MAX_WIDTH)
        self.marks = _UNICODE if _can_show(self._encoding) else _ASCII

    def paint(self, text: str, color: str = "", *, bold: bool = False, dim: bool = False) -> str:
        """Return *text* in a colour, if there are colours here."""
        if not self._is_colored or not text:
            return text
        return click.style(text, fg=color or None, bold=bold or None, dim=dim or None)

    def line(self, text: str = "") -> None:
        """Write one line and flush it; what cannot be encoded is escaped."""
        shown = text.encode(self._encoding, "backslashreplace").decode(self._encoding)
        self._stream.write(f"{shown}\n")
        self._stream.flush()


def _can_show(encoding: str) -> bool:
    try:
        "".join(getattr(_UNICODE, name) for name in Marks.__slots__).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
