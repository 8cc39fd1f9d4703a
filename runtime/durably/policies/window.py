"""A sliding window over what was begun: how long must the next one wait?"""

from __future__ import annotations

from typing import Any

import ormsgpack

from ..limits import RatePolicy

_BINS = 60


class Window:
    """What one rate has let through in its last window, as processes hand it to each other.

    Entries that came close together are kept as one, so that it stays small; it errs on the side
    of waiting. Times are the wall clock's. Should a clock have been set back, what seems to lie far
    in the future is forgotten instead of waited for.

    Args:
        policy: The limits.
        packed: What :meth:`packed` returned in this process or another.
    """

    def __init__(self, policy: RatePolicy, packed: bytes | None = None) -> None:
        self._policy = policy
        self._bins: list[list[float]] = []
        self._closed: tuple[float, float] = (0.0, 0.0)
        if packed is not None:
            self._unpack(packed)

    def _unpack(self, packed: bytes) -> None:
        try:
            found: Any = ormsgpack.unpackb(packed)
            bins = [[float(part) for part in one] for one in found["bins"]]
            begin, end = (float(part) for part in found["closed"])
        except (ValueError, TypeError, KeyError):
            return  # no window of ours: begin with an empty one
        if all(len(one) == 4 for one in bins):  # noqa: PLR2004 - as in take()
            self._bins, self._closed = bins, (begin, end)

    def packed(self) -> bytes:
        """Return the window as bytes."""
        return ormsgpack.packb({"bins": self._bins, "closed": list(self._closed)})

    def wait(self, now: float, tokens: int) -> float:
        """Return the seconds until a step that takes *tokens* may begin; 0 if it may now."""
        per = self._policy.per
        self._bins = [one for one in self._bins if now - per < one[1] and one[0] <= now + per]
        begin, end = self._closed
        closed = min(end - now, end - begin) if begin <= now + per else 0.0
        waits = [closed, self._full(now, 2, self._policy.requests, 1)]
        if tokens:
            waits.append(self._full(now, 3, self._policy.tokens, tokens))
        return max(0.0, *waits)

    def _full(self, now: float, part: int, limit: int | None, more: int) -> float:
        """Return the seconds until there is room for *more* of one part of the entries."""
        if limit is None:
            return 0.0
        total = sum(one[part] for one in self._bins)
        wanted = min(more, limit)  # a step that needs more than the limit has the window to itself
        for one in self._bins:
            if total + wanted <= limit:
                break
            total -= one[part]
            left = one[1] + self._policy.per - now
            if total + wanted <= limit:
                return left
        return 0.0

    def take(self, now: float, tokens: int) -> None:
        """Let a step through."""
        last = self._bins[-1] if self._bins else None
        if last is not None and 0 <= now - last[0] < self._policy.per / _BINS:
            last[1] = max(last[1], now)
            last[2] += 1
            last[3] += tokens
        else:
            self._bins.append([now, now, 1.0, float(tokens)])

    def correct(self, at: float, tokens: int) -> None:
        """Add *tokens*, which may be less than none, to what was let through at *at*."""
        for one in self._bins:
            if one[0] <= at <= one[1]:
                one[3] = max(0.0, one[3] + tokens)
                return

    def close(self, now: float, seconds: float) -> None:
        """Let nothing through for so many seconds: the server said so."""
        if now + seconds > self._closed[1]:
            self._closed = (now, now + seconds)
