"""What files and options say about each field of a policy, made into values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..limits import ApprovalPolicy, ParkPolicy, RatePolicy
from ..types import CachePolicy, RetryPolicy, TimeoutPolicy, status_of
from .amounts import duration, rate


@dataclass(frozen=True, slots=True)
class NamedErrors:
    """Picks exceptions by name, so that a file need not import their classes.

    Attributes:
        names: Class names, with or without their module, of the exception or a base of it; numbers
            are HTTP statuses.
    """

    names: tuple[str | int, ...]

    def __call__(self, error: Exception) -> bool:
        """Say whether *error* is one of them."""
        if status_of(error) in self.names:
            return True
        return any(
            cls.__name__ in self.names or f"{cls.__module__}.{cls.__qualname__}" in self.names
            for cls in type(error).__mro__
        )


def value_of(field: str, said: Any) -> Any:
    """Return what *said* stands for in a policy's *field*.

    Raises:
        ValueError: It stands for nothing.
    """
    try:
        return _READERS[field](said)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{field}: {error}") from None


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """Say that there is no such key, and which one may have been meant."""
    close = _close_to(name, known)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
    return f"{what} has no {name!r}; {hint}"


def _close_to(name: str, known: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, known, n=1)


def _retry(said: Any) -> RetryPolicy:
    if said is False:
        return RetryPolicy(max_attempts=1)
    if not isinstance(said, Mapping):
        return RetryPolicy(max_attempts=_whole(said))
    made: dict[str, Any] = {}
    for key, value in said.items():
        if key not in _RETRY:
            raise ValueError(unknown("retry", key, [*_RETRY]))
        name, read = _RETRY[key]
        made[name] = _labelled(key, read, value)
    return RetryPolicy(**made)


def _errors(said: Any) -> NamedErrors:
    several = said if isinstance(said, list) else [said]
    if not several or not all(type(one) in (str, int) and one for one in several):
        raise ValueError(
            'write names of exceptions or HTTP statuses, as in ["RateLimitError", 503]'
        )
    return NamedErrors(tuple(several))


def _timeout(said: Any) -> TimeoutPolicy | None:
    if not isinstance(said, Mapping):
        return TimeoutPolicy(run_timeout=duration(said))
    for key in said:
        if key not in ("run", "idle"):
            raise ValueError(unknown("timeout", key, ["run", "idle"]))
    made = {f"{key}_timeout": _labelled(key, duration, value) for key, value in said.items()}
    policy = TimeoutPolicy.coerce(TimeoutPolicy(**made))
    if policy is None:
        raise ValueError("say how long: run, idle or both")
    return policy


def _cache(said: Any) -> CachePolicy:
    if isinstance(said, bool):
        return CachePolicy() if said else CachePolicy(ttl=0)
    if not isinstance(said, Mapping):
        return CachePolicy(ttl=duration(said))
    made: dict[str, Any] = {}
    for key, value in said.items():
        if key == "ttl":
            made[key] = _labelled(key, duration, value)
        elif key == "scope":
            made[key] = _labelled(key, _one_of("run", "thread", "global"), value)
        else:
            raise ValueError(unknown("cache", key, ["ttl", "scope"]))
    return CachePolicy(**made)


def _rate(said: Any) -> RatePolicy:
    if isinstance(said, str):
        return rate(said)
    if not isinstance(said, Mapping):
        raise TypeError(f'{said!r} is no rate; write "60rpm,90ktpm" or a table')
    made: dict[str, Any] = {}
    for key, value in said.items():
        if key not in _RATE:
            raise ValueError(unknown("rate", key, [*_RATE]))
        made[key] = _labelled(key, _RATE[key], value)
    return RatePolicy(**made)


def _approve(said: Any) -> ApprovalPolicy | bool:
    if not isinstance(said, Mapping):
        return _yes(said)
    made: dict[str, Any] = {}
    for key, value in said.items():
        if key not in _APPROVE:
            raise ValueError(unknown("approve", key, [*_APPROVE]))
        made[key] = _labelled(key, _APPROVE[key], value)
    return ApprovalPolicy(**made)


def _texts(said: Any) -> tuple[str, ...]:
    several = [said] if isinstance(said, str) else said
    if not isinstance(several, list) or not several or not all(map(_is_text, several)):
        raise ValueError(f"write a text or a list of texts, not {said!r}")
    return tuple(several)


def _exhausted(said: Any) -> ParkPolicy | Literal["fail"]:
    if said == "park":
        return ParkPolicy()
    if isinstance(said, str):
        return "fail" if _one_of("fail", "park")(said) == "fail" else ParkPolicy()
    if not isinstance(said, Mapping):
        raise TypeError(f'{said!r} is nothing to do; write "fail", "park" or a table')
    made: dict[str, float] = {}
    for key, value in said.items():
        if key not in ("first", "longest", "give_up_after"):
            raise ValueError(unknown("on_exhausted", key, ["first", "longest", "give_up_after"]))
        made[key] = _labelled(key, duration, value)
    return ParkPolicy(**made)


def _whole(said: Any) -> int:
    number = int(said) if isinstance(said, str) and said.isdigit() else said
    if type(number) is not int or number < 1:
        raise ValueError(f"write a whole number from 1 on, not {said!r}")
    return number


def _factor(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or said < 1:
        raise ValueError(f"write a number from 1 on, not {said!r}")
    return float(said)


def _yes(said: Any) -> bool:
    if not isinstance(said, bool):
        raise ValueError(f"write true or false, not {said!r}")  # noqa: TRY004 - a file's value
    return said


def _text(said: Any) -> str:
    if not _is_text(said):
        raise ValueError(f"write a text, not {said!r}")
    return str(said)


def _is_text(said: Any) -> bool:
    return isinstance(said, str) and bool(said.strip())


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(said: Any) -> str:
        if said in words:
            return str(said)
        close = _close_to(str(said), words)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{said!r} is none of {', '.join(map(repr, words))}{hint}")

    return read


def _labelled(key: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


_RETRY: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "attempts": ("max_attempts", _whole),
    "first": ("initial_interval", duration),
    "backoff": ("backoff_factor", _factor),
    "longest": ("max_interval", duration),
    "jitter": ("jitter", _yes),
    "on": ("retry_on", _errors),
}
_RATE: dict[str, Callable[[Any], Any]] = {
    "requests": _whole,
    "tokens": _whole,
    "per": duration,
    "name": _text,
}
_APPROVE: dict[str, Callable[[Any], Any]] = {
    "allowed": _texts,
    "message": _text,
    "deadline": duration,
    "default": _one_of("approve", "reject"),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "retry": _retry,
    "timeout": _timeout,
    "effect": _one_of("once"),
    "on_unfinished": _one_of("rerun", "ask", "fail"),
    "on_change": _one_of("auto", "replay", "rerun", "error"),
    "cache": _cache,
    "approve": _approve,
    "rate": _rate,
    "concurrency": _whole,
    "fallback": _texts,
    "on_exhausted": _exhausted,
}
