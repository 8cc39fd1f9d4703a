"""Clock readings in text: whether a date, a time or a number of seconds is *now*."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from .moment import Moment

_DATES = (
    *(f"%Y{mark}%m{mark}%d" for mark in "-/."),
    *(f"%d{mark}%m{mark}%Y" for mark in "./"),
    "%m/%d/%Y",
    "%Y%m%d",
    *(f"{month} %d{year}" for month in ("%B", "%b") for year in (" %Y", "")),
    *(f"%d {month}{year}" for month in ("%B", "%b") for year in (" %Y", "")),
)
_TIMES = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_MONTH_ALONE = ("%B %Y", "%b %Y")
_COMPACT = ("%Y%m%d%H%M%S", "%Y%m%d%H%M%S%f")
_COMPACT_DIGITS = 14
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = 3
_ZONE = re.compile(r"\s?(Z|UTC|GMT|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_CLOCK = re.compile(
    r"(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:\s?[ap]\.?m\.?)?)(\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$",
    re.IGNORECASE,
)
_OLDEST, _NEWEST = 1_500_000_000.0, 4_000_000_000.0
_EPOCH_SECONDS = 10
"""Digits of an epoch number of whole seconds."""

_FINE = 0.001
_MINUTE = 60.0
_NARROW = 60.0
"""Seconds that an entry may have lasted for a time derived from now to be told from data."""


class Reading(NamedTuple):
    """A point in time that a text may stand for.

    Attributes:
        time: Seconds since the epoch.
        coarse: Seconds that the text leaves open.
        is_exact: Whether the text has seconds that are not zero, as a clock's mostly are not.
    """

    time: float
    coarse: float
    is_exact: bool


def is_now(text: str, moment: Moment) -> bool:
    """Return whether a date, a time of day, a weekday or an epoch number is now."""
    number = _epoch(text)
    if number is not None:
        return moment.holds(number, 1.0 if len(text) == _EPOCH_SECONDS else _FINE)
    word = text.strip().rstrip(".").lower()
    if word.isalpha():
        return any(_is_weekday(word, day) for day in moment.days)
    if _CLOCK.search(text.strip()) is None and not _is_compact(text):
        return _is_today(text, moment)
    return any(moment.holds(one.time, one.coarse) for one in readings(text, moment))


def same_offset(recorded: str, now: str, then: Moment, here: Moment) -> bool:
    """Return whether two times are derived from now by one offset, as a deadline in a day is.

    Only readings with seconds count: appointments at full minutes are data.
    """
    if max(then.at - then.begun, here.at - here.begun) > _NARROW:
        return False
    for one in readings(recorded, then):
        for other in readings(now, here):
            early, late = one.time - then.at, one.time - then.begun
            first, last = other.time - here.at, other.time - here.begun
            meets = early - 1.0 <= last and first <= late + 1.0
            if meets and one.is_exact and other.is_exact and min(abs(early), abs(late)) > _MINUTE:
                return True
    return False


def _epoch(text: str) -> float | None:
    """Return an epoch number in seconds; texts hold seconds, or thousandths down to billionths."""
    if not re.fullmatch(r"\d{10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}", text):
        return None
    number = float(text)
    while number > _NEWEST:
        number /= 1000
    return number if number > _OLDEST else None


def _digits(text: str) -> str:
    return re.sub(r"[T_Z-]", "", text)


def _is_compact(text: str) -> bool:
    """Return whether a text is a date and a time of digits alone, as in the name of a file."""
    return len(_digits(text)) >= _COMPACT_DIGITS and _digits(text).isdigit()


def _is_weekday(word: str, day: date) -> bool:
    name = _WEEKDAYS[day.weekday()]
    return word == name or (len(word) >= _SHORT and word == name[: len(word)])


def _is_today(text: str, moment: Moment) -> bool:
    days = moment.days
    plain = _without_suffixes(text)
    for form in _DATES:
        parsed = _parsed(plain, form if "%Y" in form else f"{form} %Y", with_year="%Y" not in form)
        if parsed is None:
            continue
        for day in days:
            if (parsed.month, parsed.day) == (day.month, day.day) and (
                "%Y" not in form or parsed.year == day.year
            ):
                return True
    months = (_parsed(plain, form) for form in _MONTH_ALONE)
    return any(
        one is not None and any((one.year, one.month) == (day.year, day.month) for day in days)
        for one in months
    )


def _without_suffixes(text: str) -> str:
    plain = re.sub(r"(\d)(?:st|nd|rd|th)\b", r"\1", text.strip(), flags=re.IGNORECASE)
    return " ".join(plain.replace(",", " ").replace(". ", " ").split())


def _parsed(text: str, form: str, *, with_year: bool = False) -> datetime | None:
    try:
        # A leap year, so that a text without a year may name February 29.
        return datetime.strptime(f"{text} 2000" if with_year else text, form)  # noqa: DTZ007
    except ValueError:
        return None


def readings(text: str, moment: Moment) -> Iterator[Reading]:
    """Yield the points in time that a text with a time of day may stand for near a moment."""
    plain = text.strip()
    for form in _COMPACT if _is_compact(plain) else ():
        if (parsed := _parsed(_digits(plain), form)) is not None:
            yield from _zoned(parsed, None, 1.0)
    found = _CLOCK.search(plain)
    if found is None:
        return
    for day in _days_of(plain[: found.start()], moment):
        for form in _TIMES:
            clock = found[1].upper().replace(".M", "M").replace(",", ".")
            if "%p" in form:
                clock = re.sub(r"\s?([AP]M)\.?$", r" \1", clock)
            clock = re.sub(r"(\.\d{6})\d+$", r"\1", clock)
            parsed = _parsed(clock, form)
            if parsed is not None:
                whole = datetime.combine(day, parsed.time())
                yield from _zoned(whole, found[2], _coarse(form))


def _coarse(form: str) -> float:
    """Return the seconds that a text of a form leaves open."""
    if "%f" in form:
        return _FINE
    return 1.0 if "%S" in form else _MINUTE


def _days_of(text: str, moment: Moment) -> Iterator[date]:
    """Yield the days that the text before a time of day names; without any, those of now."""
    text = re.sub(r"(?:[T,\s]|\bat\b)+$", "", text)
    if not text:
        near = {day + timedelta(days=more) for day in moment.days for more in (-1, 0, 1)}
        yield from sorted(near)
        return
    plain = _without_suffixes(text)
    for form in _DATES:
        if "%Y" in form:
            if (parsed := _parsed(plain, form)) is not None:
                yield parsed.date()
        elif (parsed := _parsed(plain, f"{form} %Y", with_year=True)) is not None:
            for year in {day.year for day in moment.days}:
                yield date(year, parsed.month, min(parsed.day, 28 if parsed.month == 2 else 31))  # noqa: PLR2004


def _zoned(naive: datetime, zone: str | None, coarse: float) -> Iterator[Reading]:
    """Yield a reading for each zone that a text may mean: its own, else local time and UTC."""
    is_exact = coarse < _MINUTE and (naive.second, naive.microsecond) != (0, 0)
    said = (zone or "").strip().upper()
    if said and said not in ("Z", "UTC", "GMT"):
        given = datetime.strptime(said.replace(":", ""), "%z").tzinfo
        yield Reading(naive.replace(tzinfo=given).timestamp(), coarse, is_exact)
        return
    yield Reading(naive.replace(tzinfo=UTC).timestamp(), coarse, is_exact)
    if not said:
        yield Reading(naive.astimezone().timestamp(), coarse, is_exact)
