"""A flow's methods: a finished one comes back from the journal, with what it left behind.

A method is a unit. Its result is journaled together with the flow's state after it and with the
attributes that it set on the flow; when the run continues, these come back and its code is not
executed. Where any of it is more than data (a crew that was made and kept on ``self``), the method
is executed again, and the steps in it are replayed.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar, copy_context
from math import inf
from types import SimpleNamespace
from typing import Any

from durably.adapting import Call, Recorded, Scope

from ..models._token_usage import Spent, add_usages, count_again
from ._kickoff import Running, comes_back, is_internal, running
from ._state import Before, Unwritable, encoded, is_data, restore, state_of

_unit: ContextVar[_Unit | None] = ContextVar("durably_crewai_unit", default=None)
_race: ContextVar[Race | None] = ContextVar("durably_crewai_race", default=None)


async def execute_method(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    method_name: Any,
    method: Callable[..., Any],
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a flow's method for ``Flow._execute_method``; a finished one comes back instead."""
    kickoff = running(self)
    if is_internal(self) or kickoff is None or _asks_inside(method):
        return await original(self, method_name, method, *args, **kwargs)
    name = str(method_name)
    with scope.span("method", name, f"method:{name}") as inner:
        unit = _Unit(scope, inner, kickoff, name, method)
        kickoff.at_work += 1
        try:
            return await original(self, method_name, unit.callable(), *args, **kwargs)
        finally:
            kickoff.at_work -= 1
            unit.close()


def state(scope: Scope, original: Callable[..., Any], self: Any) -> Any:
    """Take note that a method turns to its flow's state."""
    del scope
    unit = _unit.get()
    if unit is not None:
        unit.turn_to(self)
    return original(self)


async def run_human_feedback_step(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Let a method that a person was asked about be finished in its recorded turn."""
    result = await original(self, *args, **kwargs)
    kickoff = running(self)
    if kickoff is not None and not is_internal(self):
        await _finish_in_turn(scope, kickoff)
    return result


async def execute_racing_listeners(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Note which listeners of ``or_`` lost: they are cancelled, and stay so on replay."""
    del scope
    race = Race(map(str, args[0]))
    token = _race.set(race)
    try:
        result = await original(self, *args, **kwargs)
    finally:
        _race.reset(token)
    race.decide()
    return result


class Race:
    """Listeners of which only the first to finish counts.

    Args:
        names: What they are called.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self._is_decided = False
        self._lost: list[_Unit] = []

    def lose(self, unit: _Unit) -> None:
        """Take note that a method was cancelled; if by the race, it is over for good."""
        if self._is_decided:
            unit.record_lost()
        else:
            self._lost.append(unit)

    def decide(self) -> None:
        """Say that the race went as it should: those cancelled lost it."""
        self._is_decided = True
        for unit in self._lost:
            unit.record_lost()


class _Unit:
    """One execution of a flow's method.

    Args:
        around: The flow's scope, where the method is a step.
        scope: The method's own.
        kickoff: What it is part of.
        name: Its name.
        method: What CrewAI would call.
    """

    def __init__(
        self,
        around: Scope,
        scope: Scope,
        kickoff: Running,
        name: str,
        method: Callable[..., Any],
    ) -> None:
        self._scope = scope
        self._around = around
        self._kickoff = kickoff
        self._method = method
        self._lane = scope.lane.path
        self._stored: Any = None
        self._is_cut = False
        self._steps = 0
        call = Call("task", name, None, dump=lambda _: self._stored, adapter="crewai")
        self._step = around.open(call)
        place = (name, self._step.slot.ordinal)
        self._recorded = kickoff.recorded.get(place) if self._step.held is not None else None
        definition = getattr(kickoff.flow, "_definition", None)
        methods = getattr(definition, "methods", None) or {}
        race = _race.get()
        self._race = race if race is not None and name in race.names else None
        self._is_reviewed = getattr(methods.get(name), "human_feedback", None) is not None

    def close(self) -> None:
        """Give the step up if the method came to no result."""
        self._step.abandon()

    def callable(self) -> Callable[..., Awaitable[Any]]:
        """Return what CrewAI is to call instead of the method."""

        async def method(*args: Any, **kwargs: Any) -> Any:
            try:
                result = await self._result(*args, **kwargs)
                if not self._is_reviewed:
                    await _finish_in_turn(self._scope, self._kickoff, self)
                return result
            finally:
                self._kickoff.ends.leave(self)

        return method

    async def _result(self, *args: Any, **kwargs: Any) -> Any:
        recorded = self._recorded
        if recorded is not None and comes_back(recorded):
            return await self._come_back(recorded)
        if recorded is not None and _is_lost(recorded) and self._race is not None:
            self._scope.pass_over()
            await asyncio.Event().wait()  # until the race is decided again
        return await self._execute(*args, **kwargs)

    async def _come_back(self, recorded: Recorded) -> Any:
        kickoff, stored = self._kickoff, self._step.replay()
        self._scope.pass_over()
        beside = kickoff.interleaving
        # Its flow may be part of a method that is executed again.
        async with beside.passing(kickoff.lane, stored.get("steps", 0)):
            # What others beside it had done by then is in its state; they must have got there.
            await beside.turn(recorded.row)
            if recorded.row > kickoff.newest:
                kickoff.newest = recorded.row
                restore(kickoff.flow, stored["left"])
            self._count_tokens(stored)
            await beside.came_back(recorded.row)
        return stored["result"]

    def _count_tokens(self, stored: Mapping[str, Any]) -> None:
        """Have the flow, those around it, and their models count what the method had used."""
        count_again(self._kickoff.flow, stored["tokens"])
        add_usages(stored["usages"])
        for one in self._kickoff.chain():
            count = getattr(one.flow, "_usage_aggregation_handler", None)
            if count is not None:
                for usage in stored["usages"]:
                    count(None, SimpleNamespace(usage=usage))

    async def _execute(self, *args: Any, **kwargs: Any) -> Any:
        beside, lane = self._kickoff.interleaving, self._lane
        await beside.begin(lane, self._recorded.row if self._recorded is not None else inf)
        before = Before(self._scope.run.codec, self._kickoff.flow)
        self._kickoff.found[lane] = self._state()
        spent = Spent()
        is_finished = False
        token = _unit.set(self)
        try:
            with spent.noted():
                result = await self._called(*args, **kwargs)
            is_finished = True
            if self._step.held is None:  # a recorded one's turn is in the journal
                self._kickoff.ends.come(self)
                await self._record(before, result, spent)
        except asyncio.CancelledError:
            if self._race is not None and not is_finished:
                self._race.lose(self)
            raise
        finally:
            _unit.reset(token)
            beside.end(lane, is_finished=is_finished)
            self._kickoff.found.pop(lane, None)
        return result

    def turn_to(self, flow: Any) -> None:
        """Take note that the method's own code gets hold of a flow's state, if it is this one's."""
        if flow is self._kickoff.flow:
            self._kickoff.interleaving.turn_to(self._lane, self._now)

    def _now(self) -> Any:
        return self._state() or object()  # what cannot be written is like nothing else

    async def _record(self, before: Before, result: Any, spent: Spent) -> None:
        """Journal what the method came to, also where its flow is being given up meanwhile."""
        beside, lane = self._kickoff.interleaving, self._lane
        self._steps = beside.steps(lane) + 1  # this one, too
        if self._is_cut:
            self._record_at_once(before, result, spent)
            raise asyncio.CancelledError
        try:
            await beside.aenter(lane)  # its end is a place like a step
            left, places = None, beside.places(lane)
            if not self._left_alone():  # so it does matter who is in the middle of what
                beside.turn_to(lane, self._now)
                left, places = await beside.look(lane, lambda: self._left(before))
        except asyncio.CancelledError:
            self._record_at_once(before, result, spent)
            raise
        left = self._left(before) if left is None else left
        self._stored = self._outcome(result, left, places, spent)
        self._perform(result)

    def _record_at_once(self, before: Before, result: Any, spent: Spent) -> None:
        places = self._kickoff.interleaving.places(self._lane)
        self._stored = self._outcome(result, self._left(before), places, spent)
        self._perform(result)

    def _perform(self, result: Any) -> None:
        self._around.perform(self._step, lambda: result)
        self._scope.leave()

    def _left_alone(self) -> bool:
        """Say whether the state is the one that every method which is under way began with."""
        found = set(self._kickoff.found.values())
        return None not in found and found == {self._state()}

    def _state(self) -> bytes | None:
        return encoded(self._scope.run.codec, state_of(self._kickoff.flow))

    async def _called(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method as CrewAI would: a plain function in a thread."""
        # CrewAI marks its wrappers in asyncio's way, and asks so.
        if asyncio.iscoroutinefunction(self._method):  # pyright: ignore[reportDeprecated]
            return await self._method(*args, **kwargs)
        result = await self._in_thread(*args, **kwargs)
        return await result if inspect.iscoroutine(result) else result

    async def _in_thread(self, *args: Any, **kwargs: Any) -> Any:
        """Call a plain method; one beside another that asks a person comes to its end, or step."""
        method = functools.partial(copy_context().run, self._method, *args, **kwargs)
        called = asyncio.get_running_loop().run_in_executor(None, method)
        called.add_done_callback(lambda one: None if one.cancelled() else one.exception())
        try:
            return await asyncio.shield(called)
        except asyncio.CancelledError:
            if not self._scope.run.stopping:
                raise
        self._is_cut = True
        await asyncio.wait({called})
        return called.result()

    def _left(self, before: Before) -> dict[str, Any] | None:
        """Return what the method left behind; None if it is more than data."""
        try:
            return before.left_behind()
        except Unwritable:
            return None

    def _outcome(
        self, result: Any, left: Any, places: Mapping[str, int], spent: Spent
    ) -> dict[str, Any] | None:
        """Return what is journaled; None if the method has to be executed again."""
        if left is None or not is_data(self._scope, result):
            return None
        return {
            "result": result,
            "left": left,
            "usages": spent.usages,
            "tokens": spent.by_models_of(self._kickoff.flow),
            "lane": self._lane,
            "steps": self._steps,
            "beside": dict(places),
        }

    def record_lost(self) -> None:
        """Journal that the method was cancelled because another was faster."""
        if self._step.held is None:
            self._stored = {"lost": True}
            self._around.perform(self._step, lambda: None)


def _is_lost(recorded: Recorded) -> bool:
    return isinstance(recorded.value, Mapping) and "lost" in recorded.value


def _asks_inside(method: Callable[..., Any]) -> bool:
    """Say whether the method itself asks a person, as ``@human_feedback`` did before 1.15.

    What it then keeps on the flow belongs to CrewAI; so its code is executed again.
    """
    return hasattr(method, "__human_feedback_config__") and not hasattr(
        type(getattr(method, "__self__", None)), "_run_human_feedback_step"
    )


async def _finish_in_turn(scope: Scope, kickoff: Running, unit: object = None) -> None:
    """Wait until the methods that were finished before this one are; then it is."""
    kickoff.at_work -= 1
    try:
        if unit is not None:
            await kickoff.ends.turn(unit)
        await scope.order_point(kickoff.lane, scope.lane.path, lambda: kickoff.at_work > 0)
    finally:
        kickoff.at_work += 1
