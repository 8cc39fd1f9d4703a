"""The arguments of decorators that set a policy: checked where they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

from ..types import (
    ApprovalPolicy,
    CachePolicy,
    OnUnfinished,
    ParkPolicy,
    RatePolicy,
    RetryPolicy,
    StepPolicy,
    TimeoutPolicy,
)


def checked(**said: Any) -> StepPolicy:
    """Return the policy that a decorator's arguments describe.

    Args:
        **said: Fields of :class:`StepPolicy`, in the short forms that decorators take.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A value is out of range.
    """
    given = {name: value for name, value in said.items() if value is not None}
    return StepPolicy(**{name: _VALUES[name](value) for name, value in given.items()})


def retry_of(value: Any) -> RetryPolicy | Sequence[RetryPolicy] | None:
    """Return what retries a step: a policy, or several of which the first that applies counts.

    Args:
        value: That, or how many attempts there are.

    Raises:
        TypeError: It is none of these.
        ValueError: A number of attempts below 1.
    """
    if value is None or isinstance(value, RetryPolicy):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return RetryPolicy(max_attempts=_positive("retry", value))
    if (
        isinstance(value, Sequence)
        and not isinstance(value, str | bytes)
        and all(isinstance(one, RetryPolicy) for one in value)
    ):
        return value or None
    raise TypeError(
        f"retry is a RetryPolicy, a list of them or a number of attempts, not {value!r}"
    )


def effect_of(value: Any) -> Any:
    """Return *value* if it says how often an effect may happen.

    Raises:
        ValueError: It is not ``"once"``.
    """
    if value not in (None, "once"):
        raise ValueError(f'effect is "once" or None, not {value!r}')
    return value


def _timeout(value: Any) -> TimeoutPolicy:
    made = TimeoutPolicy.coerce(value)
    if made is None:
        raise ValueError("timeout: this TimeoutPolicy sets no limit")
    return made


def _on_unfinished(value: Any) -> Any:
    known = get_args(OnUnfinished)
    if value not in known:
        raise ValueError(f"on_unfinished is one of {', '.join(known)}, not {value!r}")
    return value


def _cache(value: Any) -> CachePolicy:
    if isinstance(value, CachePolicy):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"cache is a CachePolicy or a number of seconds, not {value!r}")
    if value < 0:
        raise ValueError(f"cache is a number of seconds, 0 or more, not {value!r}")
    return CachePolicy(ttl=value)


def _concurrency(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"concurrency is a whole number, not {value!r}")
    return _positive("concurrency", value)


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name} must be 1 or more, not {value!r}")
    return value


def _instance(name: str, *classes: type, other: tuple[Any, ...] = ()) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, classes) or (isinstance(value, str) and value in other):
            return value
        wanted = [*(one.__name__ for one in classes), *(repr(one) for one in other)]
        raise TypeError(f"{name} is {' or '.join(wanted)}, not {value!r}")

    return read


_VALUES: dict[str, Callable[[Any], Any]] = {
    "retry": retry_of,
    "timeout": _timeout,
    "effect": effect_of,
    "on_unfinished": _on_unfinished,
    "cache": _cache,
    "approve": _instance("approve", bool, ApprovalPolicy),
    "rate": _instance("rate", RatePolicy),
    "concurrency": _concurrency,
    "on_exhausted": _instance("on_exhausted", ParkPolicy, other=("fail",)),
}
