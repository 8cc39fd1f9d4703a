"""The moment at which a request was made: the time span that is *now*, and facts of the process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

_JUST_STARTED = 120.0
"""Seconds after its start in which a process counts as new: what it read before its run is now."""

_LATE = 5.0
"""Seconds by which a clock reading may lie after the span: a step begins after it is described."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of a request.

    Attributes:
        begun: When the entry into the run began, in seconds since the epoch: the run's start, or
            the time at which a later process took it up.
        at: When the request was made.
        pid: The process's id; 0 if it is not known.
        host: The host's name; empty if it is not known.
        born: When the process began; 0.0 if it is not known.
        made_before: How many tokens the process had made before those that belong to the entry;
            only of this process's own moments.
    """

    begun: float
    at: float
    pid: int = 0
    host: str = ""
    born: float = 0.0
    made_before: int = 0

    @property
    def since(self) -> float:
        """The beginning of *now*.

        A script reads the clock before its run begins. In a process that is up for longer only the
        entry itself counts: a time just before it may be an earlier run's data.
        """
        if 0.0 <= self.begun - self.born <= _JUST_STARTED:
            return self.born
        return self.begun

    def holds(self, time: float, coarse: float = 0.0) -> bool:
        """Return whether *time* is now.

        Args:
            time: Seconds since the epoch.
            coarse: Seconds that its text leaves open, as one of minutes leaves 60.
        """
        return self.since - coarse <= time <= self.at + _LATE

    @property
    def days(self) -> set[date]:
        """The days that are today, by local time and by UTC."""
        return set(self._days())

    def _days(self) -> Iterator[date]:
        for time in (self.begun, self.at):
            yield datetime.fromtimestamp(time, UTC).date()
            yield datetime.fromtimestamp(time).astimezone().date()
