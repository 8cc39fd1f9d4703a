"""A decorator for one's own tools: a policy that goes wherever the function goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal, TypeVar

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

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__durably_policy__"


def policy(
    *,
    retry: RetryPolicy | Sequence[RetryPolicy] | int | None = None,
    timeout: float | timedelta | TimeoutPolicy | None = None,
    effect: Literal["once"] | None = None,
    on_unfinished: OnUnfinished | None = None,
    cache: CachePolicy | float | None = None,
    approve: bool | ApprovalPolicy | None = None,
    rate: RatePolicy | None = None,
    concurrency: int | None = None,
    on_exhausted: ParkPolicy | Literal["fail"] | None = None,
) -> Callable[[F], F]:
    """Put a policy around a function or tool class, whichever framework makes a tool of it.

    The function itself is not changed and can be called as before. What a host, a file or a
    command line says about the tool comes on top, field by field.

    Args:
        retry: A policy, or how many attempts there are.
        timeout: Seconds that one attempt may take, or a policy.
        effect: ``"once"``: ask a person before repeating what was under way at a kill.
        on_unfinished: The same said outright: *rerun*, *ask* or *fail*.
        cache: A policy, or for how many seconds a result serves the same call again.
        approve: Whether a person must agree to each call, and in which ways.
        rate: How often it may be called, in all processes together.
        concurrency: How many calls may be under way at the same time.
        on_exhausted: Whether the run fails or parks when an outage outlasts all attempts.

    Example:
        >>> @durably.policy(effect="once", timeout=30)
        ... def charge_card(amount: float) -> str:
        ...     return f"charged {amount}"
        >>> charge_card(5)
        'charged 5'
    """
    made = StepPolicy(
        retry=RetryPolicy(max_attempts=retry) if isinstance(retry, int) else retry,
        timeout=TimeoutPolicy.coerce(timeout),
        effect=effect,
        on_unfinished=on_unfinished,
        cache=CachePolicy(ttl=cache) if isinstance(cache, int | float) else cache,
        approve=approve,
        rate=rate,
        concurrency=concurrency,
        on_exhausted=on_exhausted,
    )

    def mark(function: F) -> F:
        setattr(function, _MARK, made)
        return function

    return mark


def policy_of(*found: object) -> StepPolicy | None:
    """Return the policy that :func:`policy` put on the first of *found* that has one.

    An adapter gives the tool and the function behind it, in this order.
    """
    for one in found:
        made = getattr(one, _MARK, None)
        if isinstance(made, StepPolicy):
            return made
    return None
