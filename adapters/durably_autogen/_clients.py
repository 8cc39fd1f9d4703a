"""What a model call leaves behind in its client, so that a replayed call leaves the same.

Clients count tokens; some number their tool calls, remember the tools that they were given, or
answer from a list. What a call changed beyond the tokens of its result is recorded with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from durably.adapting import Run
from durably.errors import EncodeError

_TOTALS = ("_total_usage", "_actual_usage")
_RESULT, _LEFT = "durably:result", "durably:left"


class Traces:
    """A call under way: its clients as they were before it.

    Args:
        run: The run.
        client: The client; those that it wraps are looked at too.
    """

    def __init__(self, run: Run, client: Any) -> None:
        self._run = run
        self._clients = list(_chain(client))
        self._before = [_state(one) for one in self._clients]

    def dump(self, result: Any) -> Any:
        """Return what is recorded: the result, with what else changed if anything did."""
        used = _usage_of(result)
        pairs = zip(self._clients, self._before, strict=True)
        left = [dict(self._changes(one, before, used)) for one, before in pairs]
        return {_RESULT: result, _LEFT: left} if any(left) else result

    def load(self, recorded: Any) -> Any:
        """Return the recorded result, and leave the clients as the call left them."""
        is_more = isinstance(recorded, Mapping) and _RESULT in recorded
        result = recorded[_RESULT] if is_more else recorded
        left = recorded[_LEFT] if is_more else [{}] * len(self._clients)
        for client, changes in zip(self._clients, left, strict=False):
            _apply(client, changes, _usage_of(result))
        return result

    def _changes(
        self, client: Any, before: Mapping[str, Any], used: Any
    ) -> Iterator[tuple[str, Any]]:
        for name, value in vars(client).items():
            old = before.get(name)
            if name in _TOTALS:
                added = _minus(value, old)
                if added != _tokens(used):
                    yield name, added
            elif value is old or (hasattr(value, "prompt_tokens") and value == old):
                continue
            elif type(value) is int and type(old) is int:
                yield name, value - old
            elif self._can_be_written(value):
                yield name, [value]

    def _can_be_written(self, value: Any) -> bool:
        try:
            self._run.codec.encode(value)
        except EncodeError:
            return False
        return True


def count(client: Any, used: Any) -> None:
    """Add the tokens of a result to the totals of its client."""
    for one in _chain(client):
        _apply(one, {}, used)


def _chain(client: Any) -> Iterator[Any]:
    """Yield a client and those that it wraps."""
    while client is not None and hasattr(client, "__dict__"):
        yield client
        inner = vars(client).get("client")
        client = inner if hasattr(inner, "create_stream") else None


def _state(client: Any) -> dict[str, Any]:
    """Return a client's attributes; counts of tokens as copies, since some grow in place."""
    return {
        name: replace(value) if hasattr(value, "prompt_tokens") else value
        for name, value in vars(client).items()
    }


def _apply(client: Any, changes: Mapping[str, Any], used: Any) -> None:
    for name in _TOTALS:
        total: Any = getattr(client, name, None)
        if hasattr(total, "prompt_tokens"):
            prompt, completion = changes.get(name) or _tokens(used)
            tokens = (total.prompt_tokens + prompt, total.completion_tokens + completion)
            setattr(
                client,
                name,
                replace(total, prompt_tokens=tokens[0], completion_tokens=tokens[1]),
            )
    for name, change in changes.items():
        if name in _TOTALS:
            continue
        is_step = isinstance(change, int)
        setattr(client, name, getattr(client, name, 0) + change if is_step else change[0])


def _usage_of(result: Any) -> Any:
    last = result[-1] if isinstance(result, list) and result else result
    return getattr(last, "usage", None)


def _tokens(used: Any) -> tuple[int, int]:
    return (used.prompt_tokens, used.completion_tokens) if used is not None else (0, 0)


def _minus(after: Any, before: Any) -> tuple[int, int]:
    one, other = _tokens(after), _tokens(before)
    return one[0] - other[0], one[1] - other[1]
