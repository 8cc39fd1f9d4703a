"""What is put around a task's steps: its own arguments, ``@durably.policy``, the entrypoint's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...policies import joined, policy_of
from ...types import CachePolicy, StepPolicy
from ..frame import Frame
from .cached_call import Cached


class TaskPolicy:
    """One task's policy; the same object for every call, since hosts resolve it once.

    Args:
        name: The task's name, for errors.
        func: Its function.
        own: What ``@task`` was given.
        cache: The cache policy that ``@task`` was given, for the entrypoint's cache.
        marked: Where ``@durably.policy`` may have left one.

    Attributes:
        own: The task's own policy.
        is_effect: Whether the journal says that a step begins before it does.
        caching: How results serve other calls, if they do.
        hosts_cache: The same for the host's cache, which serves where the entrypoint has none.
    """

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        own: StepPolicy,
        cache: CachePolicy | None,
        *marked: object,
    ) -> None:
        self._name = name
        self._func = func
        self.own = own
        self._cache = cache
        self._inherited: tuple[Any, bool, StepPolicy] | None = None
        self.is_effect = own.effect == "once"
        self.caching = Cached(func, cache) if cache is not None else None
        self.hosts_cache: Cached | None = None
        found = policy_of(*marked)
        if found is not None:
            self.take(found)

    def take(self, policy: StepPolicy) -> None:
        """Put *policy* around the task too.

        Raises:
            TypeError: A field of it is set already.
        """
        mine = self.own
        if self._cache is not None and policy.cache is not None:
            mine = replace(mine, cache=self._cache)  # for the error
        self.own = joined(f"task {self._name!r}", mine, policy)
        self._inherited = None
        self.is_effect = self.own.effect == "once"
        if policy.cache is not None:
            self.caching = self.hosts_cache = Cached(self._func, policy.cache)
            self.own = replace(self.own, cache=self.caching.for_hosts())

    def around(self, frame: Frame) -> StepPolicy:
        """Return the policy of a step in *frame*, whose entrypoint has a policy or a cache."""
        is_cached = frame.cache is not None
        known = self._inherited
        if known is not None and known[0] is frame.retry and known[1] is is_cached:
            return known[2]
        policy = self.own
        if policy.retry is None and frame.retry:
            policy = replace(policy, retry=frame.retry)
        if is_cached and policy.cache is not None:
            policy = replace(policy, cache=None)  # the entrypoint's cache is used
        self._inherited = (frame.retry, is_cached, policy)
        return policy

    def caching_in(self, frame: Frame | None) -> Cached | None:
        """Return how a call is cached in the entrypoint's cache, if it is.

        The entrypoint's policy is for tasks without their own.
        """
        if frame is None or frame.cache is None:
            return None
        if self.caching is None and frame.caching is not None:
            return Cached(self._func, frame.caching)
        return self.caching
