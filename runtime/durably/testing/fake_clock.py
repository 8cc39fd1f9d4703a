"""A clock for tests: time passes only when somebody sleeps or says so."""

from __future__ import annotations

import asyncio
import threading


class FakeClock:
    """Stands in for the machine's time; sleeping takes none and moves it on at once.

    Give it to a host, and retries with long pauses are tested in no time. Safe to share between
    threads and event loops.

    Args:
        start: What :meth:`now` says at first, in seconds since the epoch.

    Attributes:
        slept: How long each sleep was to last, in seconds, in order.

    Example:
        >>> clock = FakeClock(start=1_000.0)
        >>> clock.sleep(30)
        >>> clock.advance(0.5)
        >>> clock.now(), clock.monotonic(), clock.slept
        (1030.5, 30.5, [30])
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        """Return the seconds that have passed on this clock."""
        with self._lock:
            return self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: The clock would go back.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back: advance({seconds})")
        with self._lock:
            self._passed += seconds

    def sleep(self, seconds: float) -> None:
        """Move the time on by *seconds* and return at once."""
        with self._lock:
            self.slept.append(seconds)
            self._passed += max(seconds, 0.0)

    async def asleep(self, seconds: float) -> None:
        """Like :meth:`sleep`; other tasks get their turn, as in a real sleep."""
        self.sleep(seconds)
        await asyncio.sleep(0)
