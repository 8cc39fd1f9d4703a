"""A decorator for tools, functions and tasks: a policy that goes wherever the function goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from functools import partial
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
from .decorator_values import checked

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__durably_policy__"
_TAKE = "__durably_take_policy__"


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
    """Put a policy around a function, tool class or ``@task``.

    The function itself is not changed and can be called as before. On a task the decorator may
    stand above or below ``@task``. What a host, a file or a command line says about the step comes
    on top, field by field.

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

    Raises:
        TypeError: A value is of the wrong type; or, when it decorates, the object cannot carry a
            policy (an entrypoint, a built-in function), or another decorator set the same field.
        ValueError: A value is out of range.

    Example:
        >>> @durably.policy(effect="once", timeout=30)
        ... def charge_card(amount: float) -> str:
        ...     return f"charged {amount}"
        >>> charge_card(5)
        'charged 5'
    """
    made = checked(
        retry=retry,
        timeout=timeout,
        effect=effect,
        on_unfinished=on_unfinished,
        cache=cache,
        approve=approve,
        rate=rate,
        concurrency=concurrency,
        on_exhausted=on_exhausted,
    )
    return partial(_marked, made)


def _marked(made: StepPolicy, function: F) -> F:
    """Return *function* with the policy on it."""
    found: Any = function
    if hasattr(found, _TAKE) and not isinstance(found, type):
        getattr(found, _TAKE)(made)
    else:
        _put_on(found, made)
    return function


def _put_on(function: Any, made: StepPolicy) -> None:
    """Leave the policy on a function or class, for the adapter or task that makes a step of it."""
    name = str(getattr(function, "__qualname__", None) or f"{function!r}")
    if isinstance(function, partial) and hasattr(function.func, _TAKE):
        raise TypeError(
            f"{name} is a task bound to an object; put @durably.policy on the method in the class"
        )
    before = getattr(function, "__dict__", {}).get(_MARK)
    if before is None:
        base = policy_of(function)  # a class inherits what its bases say, and may say otherwise
        said = made if base is None else over(made, base)
    else:
        said = joined(name, before, made)
    try:
        setattr(function, _MARK, said)
    except (AttributeError, TypeError):
        raise TypeError(
            f"@durably.policy cannot be put on {name}, a {type(function).__qualname__}; put it on "
            "the function that it calls, or on a function of your own around it"
        ) from None


def policy_of(*found: object) -> StepPolicy | None:
    """Return the policy that :func:`policy` put on the first of *found* that has one.

    An adapter gives the tool and the function behind it, in this order.
    """
    for one in found:
        made = getattr(one, _MARK, None)
        if isinstance(made, StepPolicy):
            return made
    return None


def joined(name: str, one: StepPolicy, other: StepPolicy) -> StepPolicy:
    """Return what two decorators of the same function say together.

    Args:
        name: The function's name, for the error.
        one: What the first says.
        other: What the other says.

    Raises:
        TypeError: Both set the same field.
    """
    twice = sorted({*_said(one)} & {*_said(other)})
    if twice:
        raise TypeError(
            f"{name}: {', '.join(twice)} is set twice, by two decorators of the same function; "
            "keep one of them"
        )
    return replace(one, **_said(other))


def over(own: StepPolicy, base: StepPolicy) -> StepPolicy:
    """Return *base* with what *own* says in its place, field by field."""
    return replace(base, **_said(own))


def _said(policy: StepPolicy) -> dict[str, Any]:
    """Return the fields that a policy sets."""
    found = ((one.name, getattr(policy, one.name)) for one in fields(policy))
    return {name: value for name, value in found if value is not None}
