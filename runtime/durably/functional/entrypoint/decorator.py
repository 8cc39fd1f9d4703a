"""``@entrypoint``: a function whose runs are durable."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, get_args, get_origin, get_type_hints

from ...policies import policy_of, retry_of
from ...types import CachePolicy, RetryPolicy, TimeoutPolicy
from .entrypoint import Entrypoint, no_step
from .execution import Setup
from .parted_result import PartedResult, R, S
from .resources import Checkpointer, Resources, checked_cache_policy, checked_checkpointer


class entrypoint:  # noqa: N801 - the name is LangGraph's
    """Make a function's runs durable.

    Args:
        checkpointer: Where runs are kept: a URL (``sqlite:///runs.db``), a checkpointer, or a
            host. Without one nothing is kept. An entrypoint that another one calls is a part of
            its caller's run, whatever it was given, unless the call names another thread.
            ``True`` keeps a memory of its own within the caller's thread, ``False`` keeps nothing
            even there.
        store: Long-term memory, handed to parameters called ``store``: a store, or its URL.
        cache: Where results of tasks with a cache policy serve other calls: a cache, or its URL.
        context_schema: What ``context`` must be; a mapping is turned into it.
        cache_policy: For tasks without their own.
        retry_policy: For the entrypoint as a whole, and for tasks without their own.
        timeout: Seconds that one attempt of the entrypoint may take, or a policy.

    Raises:
        NotImplementedError: The function is a generator function.
        ValueError: The function takes no parameter.
        TypeError: A checkpointer, store, cache or policy that is none, or a return type
            ``entrypoint.final[…]`` that names one type instead of two.

    Example:
        >>> @entrypoint(checkpointer="sqlite:///runs.db")  # doctest: +SKIP
        ... def flow(topic: str) -> str:
        ...     draft = write(topic).result()
        ...     return publish(draft).result() if interrupt(draft) == "ok" else draft
        >>> flow.invoke("tea", {"configurable": {"thread_id": "t1"}})  # doctest: +SKIP
    """

    class final(PartedResult[R, S]):  # noqa: N801 - the name is LangGraph's
        """A result that gives the caller one value and the thread's next run another.

        Programs write ``entrypoint.final(value=…, save=…)``, as in LangGraph's Functional API. It
        is a class of its own, since type checkers take an alias in a class for no generic type.
        """

        __slots__ = ()

    def __init__(  # noqa: PLR0917 - LangGraph's order
        self,
        checkpointer: Checkpointer = None,
        store: Any = None,
        cache: Any = None,
        context_schema: type[Any] | None = None,
        cache_policy: CachePolicy | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> None:
        self._setup = Setup(
            checkpointer=checked_checkpointer(checkpointer),
            resources=Resources(store, cache, checkpointer),
            context_schema=context_schema,
            caching=checked_cache_policy(cache_policy),
            retry=retry_of(retry_policy),
            timeout=TimeoutPolicy.coerce(timeout),
        )

    def __call__(self, func: Callable[..., Any]) -> Entrypoint:
        """Return *func* as an entrypoint."""
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            raise NotImplementedError(
                f"entrypoint {func.__name__!r} is a generator function; write parts with "
                "get_stream_writer() and return the end"
            )
        if not inspect.signature(func).parameters:
            raise ValueError(
                f"entrypoint {func.__name__!r} takes no parameter; it must take its input"
            )
        if policy_of(func) is not None:
            raise no_step(func.__name__)
        _check_return_type(func)
        return Entrypoint(func, self._setup)


def _check_return_type(func: Callable[..., Any]) -> None:
    """Refuse ``-> entrypoint.final[int]``: it takes two types."""
    try:
        returned = get_type_hints(func).get("return")
    except Exception:
        return  # annotations that cannot be looked up here are the type checker's business
    if get_origin(returned) is entrypoint.final and len(get_args(returned)) != 2:  # noqa: PLR2004 - as said
        raise TypeError("entrypoint.final takes two types: final[value, save]")
