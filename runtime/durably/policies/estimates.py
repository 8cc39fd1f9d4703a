"""What a model call will probably use, before it is made."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..engine import GatedStep

_BYTES_PER_TOKEN = 4
_MEDIA_TOKENS = 1_000
_FIRST_GUESS = 500
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_DEPTH = 32


class Estimate(NamedTuple):
    """Tokens that a call will probably take."""

    input_tokens: int
    output_tokens: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.input_tokens + self.output_tokens


class Estimates:
    """Estimates calls, and learns from what they took.

    The request counts a token for four bytes of its text, or as many more as the model has counted
    before. The answer is taken to be as long as the call allows (``max_tokens``) or, where it does
    not say, as the model's longest so far.
    """

    def __init__(self) -> None:
        self._longest: dict[str, int] = {}
        self._densest: dict[str, float] = {}
        self._lock = threading.Lock()

    def of(self, step: GatedStep) -> Estimate:
        """Return what *step* will probably take; nothing if it is no model call."""
        call = step.call
        if call.kind != "model":
            return Estimate(0, 0)
        allowed = _limit(call.request)
        answer = allowed or self._longest.get(call.name) or _FIRST_GUESS
        return Estimate(int(_plain(step) * self._densest.get(call.name, 1.0)), answer)

    def learn(self, step: GatedStep) -> None:
        """Take note of what *step* took."""
        usage, name = step.usage or {}, step.call.name
        asked, answered = (int(usage.get(f"{what}_tokens") or 0) for what in ("input", "output"))
        if asked or answered:
            dense = asked / _plain(step)
            with self._lock:
                self._longest[name] = max(answered, self._longest.get(name, 0))
                self._densest[name] = max(dense, self._densest.get(name, 1.0))


def _plain(step: GatedStep) -> int:
    """Return the tokens of a request, by the length of its text."""
    return _weight(step.call.request) // _BYTES_PER_TOKEN + 1


def used(usage: Mapping[str, Any] | None) -> int:
    """Return the tokens that a recorded usage tells of."""
    return sum(int((usage or {}).get(part) or 0) for part in ("input_tokens", "output_tokens"))


def _weight(value: Any, depth: int = 0) -> int:
    """Return how many bytes of text there are in a request; pictures weigh what models charge."""
    if isinstance(value, str):
        is_media = value.startswith("data:") and len(value) > _BYTES_PER_TOKEN * _MEDIA_TOKENS
        return _BYTES_PER_TOKEN * _MEDIA_TOKENS if is_media else len(value.encode(errors="replace"))
    if isinstance(value, bytes):
        return min(len(value), _BYTES_PER_TOKEN * _MEDIA_TOKENS)
    if depth >= _DEPTH:
        return 0
    if isinstance(value, Mapping):
        return sum(_weight(key) + _weight(item, depth + 1) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(_weight(item, depth + 1) for item in value)
    fields = getattr(value, "__dict__", None)
    return _weight(fields, depth + 1) if fields else len(str(value)) if value is not None else 0


def _limit(request: Any) -> int:
    """Return how long the call allows its answer to be, or 0 if it does not say."""
    if not isinstance(request, Mapping):
        return 0
    for key in _LIMITS:
        found = request.get(key)
        if isinstance(found, int | float) and found > 0:
            return int(found)
    for part in ("settings", "extra", "options"):
        found = _limit(request.get(part))
        if found:
            return found
    return 0
