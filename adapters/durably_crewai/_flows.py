"""Flows: spans for a flow and its methods, and methods that need not be executed again."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from durably.adapting import Call, Scope, fingerprint
from durably.errors import EncodeError

from ._spans import on_main_line

_KEY = 6
_NEWEST = "crewai: newest state of a flow"


def kickoff(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    inputs: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a flow for ``Flow.kickoff``, which runs ``kickoff_async`` in a loop of its own."""
    if _is_passage(scope, self):
        return original(self, inputs, *args, **kwargs)
    name = type(self).__name__
    with scope.span("flow", name, _segment(self, inputs), owner=_owner(self)):
        return original(self, inputs, *args, **kwargs)


async def kickoff_async(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    inputs: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a flow for ``Flow.kickoff_async``."""
    if _is_passage(scope, self):
        return await original(self, inputs, *args, **kwargs)
    name = type(self).__name__
    with scope.span("flow", name, _segment(self, inputs), owner=_owner(self)):
        return await original(self, inputs, *args, **kwargs)


def _is_passage(scope: Scope, flow: Any) -> bool:
    """Say whether a kickoff is no flow of the user's, leads to another one, or only streams."""
    return is_internal(flow) or scope.lane.owner == _owner(flow) or bool(flow.stream)


def is_internal(flow: Any) -> bool:
    """Say whether a flow is CrewAI's own: it runs agents and memory as flows, too."""
    return type(flow).__module__.partition(".")[0] == "crewai"


def _owner(flow: Any) -> tuple[str, int]:
    return ("flow", id(flow))


def _segment(flow: Any, inputs: Any) -> str:
    name = f"flow:{type(flow).__name__}"
    return name if on_main_line() else f"{name}:{fingerprint(inputs or {})[0].hex()[:_KEY]}"


async def execute_method(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    method_name: Any,
    method: Callable[..., Any],
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a flow's method; one that was finished is not executed again.

    Its result and the flow's state after it are journaled. Where they cannot be written the
    method is executed again on resume, and what it did inside is replayed.
    """
    if is_internal(self):
        return await original(self, method_name, method, *args, **kwargs)
    name = str(method_name)
    once = _Once(scope, self, name, method)
    try:
        with scope.span("method", name, f"method:{name}"):
            return await original(self, method_name, once.callable(), *args, **kwargs)
    finally:
        once.close()


class _Once:
    """A flow's method with its result and the state after it in the journal."""

    def __init__(self, scope: Scope, flow: Any, name: str, method: Callable[..., Any]) -> None:
        self._scope = scope
        self._flow = flow
        self._method = method
        self._step = scope.open(Call("task", name, None, dump=self._dump, adapter="crewai"))

    def close(self) -> None:
        """Give the step up if the method came to no result."""
        self._step.abandon()

    def callable(self) -> Callable[..., Any]:
        """Return what is called instead of the method: sync or async as it is."""
        if inspect.iscoroutinefunction(self._method):

            async def amethod(*args: Any, **kwargs: Any) -> Any:
                done, result = self._recorded()
                return result if done else self._record(await self._method(*args, **kwargs))

            return amethod

        def method(*args: Any, **kwargs: Any) -> Any:
            done, result = self._recorded()
            if done:
                return result
            result = self._method(*args, **kwargs)
            return self._awaited(result) if inspect.iscoroutine(result) else self._record(result)

        return method

    async def _awaited(self, result: Awaitable[Any]) -> Any:
        return self._record(await result)

    def _recorded(self) -> tuple[bool, Any]:
        held = self._step.held
        if held is None:
            return False, None
        stored = self._step.replay()
        if stored is None:
            return False, None
        # Methods that ran side by side finish in any order now; the newest state stands.
        newest: Any = self._scope.run.resources.setdefault(_NEWEST, {})
        with self._scope.run.lock:
            if held.seq > newest.get(id(self._flow), -1):
                newest[id(self._flow)] = held.seq
                _restore(self._flow, stored["state"])
        return True, stored["result"]

    def _record(self, result: Any) -> Any:
        if self._step.held is not None:
            return result
        return self._scope.perform(self._step, lambda: result)

    def _dump(self, result: Any) -> Any:
        stored = {"result": result, "state": _state(self._flow)}
        try:
            self._scope.run.codec.encode(stored)
        except EncodeError:
            return None
        return stored


def _state(flow: Any) -> dict[str, Any]:
    state = flow._state
    return dict(state) if isinstance(state, Mapping) else dict(state.__dict__)


def _restore(flow: Any, values: Mapping[str, Any]) -> None:
    state = flow._state
    if isinstance(state, dict):
        state.clear()
        state.update(values)
    else:
        for name, value in values.items():
            object.__setattr__(state, name, value)
