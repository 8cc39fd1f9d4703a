"""Turns of custom agents that make no step inside: each is one step, with what the agent remembers.

Such an agent works by means that no seam sees: a client of its own, a game, a computation. Whether
it does is known when its turn is over: a turn with steps in it is a span like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from durably.adapting import Call, Scope
from durably.errors import EncodeError

from ._object_state import Place, changed, put_back, remembered
from ._streams import closing

_OF_ONE_PROCESS = frozenset({"id", "created_at"})


def may_be_opaque(agent: object) -> bool:
    """Say whether *agent* is not one of AgentChat's own, whose work is steps."""
    return not type(agent).__module__.startswith("autogen_agentchat.")


async def opaque_turn(
    inner: Scope, agent: Any, messages: Sequence[Any], source: Callable[[], AsyncIterator[Any]]
) -> AsyncIterator[Any]:
    """Yield what a turn yields, recorded or new; *inner* is the scope of the turn."""
    turn = _Turn(inner, agent, messages)
    if turn.is_recorded:
        for item in await turn.replay():
            yield item
        return
    items: list[Any] = []
    try:
        async with closing(inner.iterate(source())) as live:
            async for item in live:
                items.append(item)
                if _is_last(item):
                    await turn.record(items)
                yield item
    finally:
        turn.leave()


async def opaque_answer(
    inner: Scope, agent: Any, messages: Sequence[Any], call: Callable[[], Awaitable[Any]]
) -> Any:
    """Return what a turn returns, recorded or new."""
    turn = _Turn(inner, agent, messages)
    if turn.is_recorded:
        return (await turn.replay())[-1]
    try:
        with inner.entered():
            answer = await call()
        await turn.record([answer])
    finally:
        turn.leave()
    return answer


def _is_last(item: object) -> bool:
    return any(cls.__name__ == "Response" for cls in type(item).__mro__)


class _Turn:
    """One turn that may come to be a step."""

    def __init__(self, inner: Scope, agent: Any, messages: Sequence[Any]) -> None:
        self._inner, self._agent, self._run = inner, agent, inner.run
        self._scope = inner.child("turn")
        request = [_request(message) for message in messages]
        self._step = self._scope.open(Call("task", agent.name, request, adapter="autogen"))
        self._came_to = inner.lane.came_to
        self._before: dict[Place, bytes] = {}
        if not self.is_recorded:
            self._before = remembered(self._run, agent)

    @property
    def is_recorded(self) -> bool:
        return self._step.held is not None

    async def replay(self) -> list[Any]:
        """Return what the turn yielded, and leave the agent as the turn left it."""
        recorded = self._step.replay()
        self._pass_on()
        if recorded["state"] is not None:
            await self._agent.load_state(recorded["state"])
        put_back(self._agent, recorded["changes"])
        items: list[Any] = recorded["items"]
        return items

    async def record(self, items: list[Any]) -> None:
        """Write the turn down, unless there are steps in it or it cannot be written."""
        if self._inner.lane.came_to != self._came_to:
            return
        state = await _own_state(self._agent)
        changes = changed(self._run, self._agent, self._before) if state is None else []
        outcome = {"items": items, "state": state, "changes": changes}
        try:
            self._run.codec.encode(outcome)
        except EncodeError:
            return  # it is executed again, as all code between steps

        async def done() -> Any:
            return outcome

        await self._scope.aperform(self._step, done)
        self._pass_on()

    def _pass_on(self) -> None:
        """Let the time go on to the end of the step, whatever times were asked for inside."""
        self._run.pass_on(self._scope.lane.path)

    def leave(self) -> None:
        """Leave a turn that is no step."""
        self._step.abandon()


async def _own_state(agent: Any) -> Any:
    """Return what an agent that knows how to save its state saves; None if it does not know."""
    from autogen_agentchat.agents import BaseChatAgent

    if type(agent).save_state is BaseChatAgent.save_state:
        return None
    return await agent.save_state()


def _request(message: Any) -> Any:
    fields = {name: value for name, value in vars(message).items() if name not in _OF_ONE_PROCESS}
    return [type(message), fields]
