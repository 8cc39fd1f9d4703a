"""Compares two requests that differ only in text that each process made for itself.

Such text is a clock reading that is *now* on both sides, an id that this process made, the pid or
the host. The comparison is pairwise: each differing span of the new request is judged against the
span that stands in its place in the recorded one, and each side by the moment of its own process.
Nothing is taken out by its form alone: dates, ids and numbers are data as often as noise.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .clock_text import is_now, same_offset
from .fingerprint import in_common
from .made_tokens import made
from .moment import Moment

_AROUND = 80
"""Characters that are kept beside a difference, so that a whole date or id is seen."""

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAYS = r"(?:mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:\s?[ap]\.?m\b\.?)?"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_TOKEN = re.compile(
    rf"""
    (?P<uuid>\b[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}\b)
  | (?P<clock>
        \b\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?:[T ,]\s?{_TIME}{_ZONE})?(?![\d:])
      | \b\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}(?:,?\s{_TIME}{_ZONE})?(?![\d:])
      | \b20\d{{6}}(?:[T_-]?\d{{6}}(?:\d{{3}}|\d{{6}})?)?Z?\b
      | \b{_MONTHS}\.?\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?(?:,?\s(?:at\s)?{_TIME}{_ZONE})?\b
      | \b\d{{1,2}}\.?\s{_MONTHS}\.?(?:,?\s\d{{4}})?(?:,?\s(?:at\s)?{_TIME}{_ZONE})?\b
      | \b{_MONTHS}\s\d{{4}}\b
      | \b{_TIME}{_ZONE}(?![\d:])
      | \b{_WEEKDAYS}\b
    )
  | (?P<took>\b\d+(?:\.\d+)?\s?(?:ms|milliseconds?|s|secs?|seconds?|mins?|minutes?|hours?)\b)
  | (?P<number>(?<![\w.])\d+(?:\.\d+)?(?![\w]))
  | (?P<word>[A-Za-z0-9_]{{8,}}(?:-[A-Za-z0-9_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


class _Token(NamedTuple):
    """A span of text that may have been made by the process.

    Attributes:
        kind: The name of the group of the pattern.
        text: The span.
    """

    kind: str
    text: str


def equal_but_fresh(
    recorded: Any, now: Any, then: Moment, here: Moment, *, is_prompt: bool = False
) -> bool:
    """Return True if two plain forms differ only in text that each process made for itself.

    Args:
        recorded: The plain form of the recorded request.
        now: The plain form of the new request.
        then: The moment of the recorded request.
        here: The moment of the new one.
        is_prompt: Whether a duration may differ; only in a model's prompt, never in arguments.

    Example:
        >>> then, here = Moment(0.0, 10.0, pid=7), Moment(100.0, 110.0, pid=9)
        >>> equal_but_fresh({"by": "worker 7"}, {"by": "worker 9"}, then, here)
        True
        >>> equal_but_fresh({"to": "ann"}, {"to": "bob"}, then, here)
        False
    """

    def same(one: Any, other: Any) -> bool:
        if type(one) is not type(other):
            return _is_number(one) and _is_number(other) and _same_numbers(one, other, then, here)
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        if isinstance(one, list):
            return len(one) == len(other) and all(map(same, one, other))
        if one == other:
            return True
        if isinstance(one, str):
            return _same_texts(one, other, then, here, is_prompt=is_prompt)
        return _is_number(one) and _same_numbers(one, other, then, here)

    return same(recorded, now)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same_numbers(one: float, other: float, then: Moment, here: Moment) -> bool:
    if one == then.pid and other == here.pid and then.pid:
        return True
    return is_now(str(one), then) and is_now(str(other), here)


def _same_texts(one: str, other: str, then: Moment, here: Moment, *, is_prompt: bool) -> bool:
    one, other = _apart(one, other)
    if then.host and then.host != here.host and then.host in one:
        one, other = one.replace(then.host, "\0host"), other.replace(here.host, "\0host")
    gaps, tokens = _split(one)
    other_gaps, other_tokens = _split(other)
    if gaps != other_gaps or len(tokens) != len(other_tokens):
        return False
    return all(
        _same_tokens(mine, theirs, then, here, is_prompt=is_prompt)
        for mine, theirs in zip(tokens, other_tokens, strict=True)
    )


def _apart(one: str, other: str) -> tuple[str, str]:
    """Return the parts of two texts in which they differ, with a little around them."""
    begin = in_common(one, other)
    end = in_common(one[begin:][::-1], other[begin:][::-1])
    begin, end = max(0, begin - _AROUND), max(0, end - _AROUND)
    return one[begin : len(one) - end], other[begin : len(other) - end]


def _split(text: str) -> tuple[list[str], list[_Token]]:
    """Return the text between the tokens, and the tokens."""
    gaps: list[str] = []
    tokens: list[_Token] = []
    at = 0
    for found in _TOKEN.finditer(text):
        gaps.append(text[at : found.start()])
        tokens.append(_Token(str(found.lastgroup), found[0]))
        at = found.end()
    return [*gaps, text[at:]], tokens


def _same_tokens(  # noqa: PLR0911 - one return for each kind
    one: _Token, other: _Token, then: Moment, here: Moment, *, is_prompt: bool
) -> bool:
    if one.text == other.text:
        return True
    if {one.kind, other.kind} <= _IDS and _is_made_id(one.text, other.text, here.made_before):
        return True
    if one.kind != other.kind:
        return False
    match one.kind:
        case "took":
            return is_prompt and _is_measured(one.text, other.text)
        case "word":
            return _is_ulid_now(one.text, then) and _is_ulid_now(other.text, here)
        case "number" if then.pid and one.text == str(then.pid):
            return other.text == str(here.pid)
        case "clock" | "number":
            is_clock = one.kind == "clock"
            return (is_now(one.text, then) and is_now(other.text, here)) or (
                is_clock and same_offset(one.text, other.text, then, here)
            )
        case _:
            return False


_IDS = frozenset({"number", "uuid", "word"})
"""Kinds of tokens that an id may look like: a hexadecimal one may have no letter in it."""


def _is_made_id(one: str, other: str, before: int) -> bool:
    """Return True if *other* is an id that this process made, and *one* could be such an id.

    A text of the program's own may stand before the id: ``job_`` and the name of a temporary file.
    """
    if len(one) != len(other) or made.count <= before:
        return False
    return any(made.holds(other[start:], before) for start in range(in_common(one, other) + 1))


def _is_measured(one: str, other: str) -> bool:
    """Return True if both are durations of one unit, with the fraction that a measured one has."""
    return "." in one and "." in other and _without_number(one) == _without_number(other)


def _without_number(text: str) -> str:
    return re.sub(r"[\d.]+", "", text).strip()


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_LENGTH, _ULID_CLOCK = 26, 10


def _is_ulid_now(text: str, moment: Moment) -> bool:
    """Return whether *text* is a ULID whose time, its first ten characters, is now.

    Source: https://github.com/ulid/spec
    """
    return len(text) == _ULID_LENGTH and moment.holds(_ulid_time(text))


def _ulid_time(text: str) -> float:
    milliseconds = 0
    for letter in text[:_ULID_CLOCK].upper():
        if letter not in _CROCKFORD:
            return -1.0
        milliseconds = milliseconds * 32 + _CROCKFORD.index(letter)
    return milliseconds / 1000
