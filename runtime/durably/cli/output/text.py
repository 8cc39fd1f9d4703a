"""Small pieces of text: one-liners, times, token counts, tables."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MINUTE = 60
_SHORTEST_ID = 6


def visible(text: str) -> str:
    r"""Return *text* with control characters escaped, so that none reaches the terminal.

    Texts of models and tools may try to; line breaks and tabs stay.
    """
    return _CONTROL.sub(lambda m: m[0] if m[0] in "\n\t" else _escaped(m[0]), text)


def one_line(text: str, limit: int = 0) -> str:
    """Return *text* on one line, cut to *limit* columns if there is one."""
    flat = _CONTROL.sub(lambda m: _escaped(m[0]), " ".join(text.split()))
    if not limit or cells(flat) <= limit:
        return flat
    while flat and cells(flat) > limit - 1:
        flat = flat[: max(0, limit - 1) if len(flat) > limit else -1]
    return flat + "…"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def cells(text: str) -> int:
    """Return how many columns *text* takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def padded(text: str, width: int) -> str:
    """Return *text* filled up to *width* columns."""
    return text + " " * (width - cells(text))


def duration(seconds: float) -> str:
    """Return a time span for people: ``0.4s``, ``3m 05s``, ``2h 10m``."""
    if seconds < _MINUTE:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes}m {rest:02}s"
    return f"{minutes // _MINUTE}h {minutes % _MINUTE:02}m"


def moment(at: float) -> str:
    """Return a local time for people: ``today 09:12``."""
    then, now = time.localtime(at), datetime.now().astimezone()
    clock = time.strftime("%H:%M", then)
    day = time.strftime("%Y-%m-%d", then)
    if day == now.strftime("%Y-%m-%d"):
        return f"today {clock}"
    if day == (now - timedelta(days=1)).strftime("%Y-%m-%d"):
        return f"yesterday {clock}"
    return f"{day} {clock}"


def timestamp(at: float | None) -> str | None:
    """Return a time for programs (RFC 3339, UTC), or None."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def tokens(usage: Mapping[str, Any] | None, arrow: str) -> str:
    """Return ``1 204 → 312 tok``, or nothing if the usage is not known."""
    if not usage or "input_tokens" not in usage:
        return ""
    asked, answered = usage["input_tokens"], usage.get("output_tokens", 0)
    return f"{number(asked)} {arrow} {number(answered)} tok"


def money(usd: float | None) -> str:
    """Return an amount in US dollars, small ones exactly enough to tell them apart."""
    return "" if usd is None else f"${usd:,.4f}" if usd < 1 else f"${usd:,.2f}"


def number(value: float) -> str:
    """Return a whole number with its thousands set apart."""
    return f"{int(value):,}".replace(",", " ")


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return ``1 step`` or ``3 steps``."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return the shortest beginnings, from six characters on, that tell *ids* apart."""
    for length in range(_SHORTEST_ID, 33):
        short = {one: one[:length] for one in ids}
        if len(set(short.values())) == len(short):
            return short
    return {one: one for one in ids}


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns, two spaces between them."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def as_json(value: Mapping[str, Any]) -> str:
    """Return the JSON text that ``--json`` prints: ASCII, so that every encoding can carry it."""
    return json.dumps(value, indent=2, default=str)
