"""Spans: team runs and agents' turns are executed again on resume, and name the lanes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from durably.adapting import Scope, Seam

from ._contents import content_of
from ._custom_agents import may_be_opaque, opaque_answer, opaque_turn
from ._streams import closing
from ._unwind_targets import ended_by, give_cause, handler_tasks, remember_runtime

_TEAM = "team"

Source = Callable[..., AsyncIterator[Any]]


class _Team:
    """A team's run under way.

    Attributes:
        scope: Where its members' turns lie.
        is_branching: Whether several members speak at the same time now.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.is_branching = False


_teams: dict[str, _Team] = {}
"""The teams that run now, by the id that the runtime knows them by."""


async def _run_team(
    scope: Scope, original: Source, self: Any, *args: Any, **kwargs: Any
) -> AsyncIterator[Any]:
    from autogen_agentchat.base import TaskResult

    owner = (_TEAM, id(self))
    if scope.lane.owner == owner:  # a subclass that calls super()
        async with closing(original(self, *args, **kwargs)) as items:
            async for item in items:
                yield item
        return
    name = getattr(self, "name", None) or type(self).__name__
    task = kwargs.get("task", args[0] if args else None)
    inner = _unwindable(scope, f"team:{name}", owner, given=[name, content_of(task)])
    if self._embedded_runtime:
        remember_runtime(scope.run, self._runtime)
    team = _Team(inner)
    _teams.setdefault(self._team_id, team)  # AutoGen refuses a team that runs already
    try:
        with told(inner, _TEAM, name) as over, inner.edge():
            async with closing(inner.iterate(original(self, *args, **kwargs))) as items:
                async for item in items:
                    if isinstance(item, TaskResult):
                        over()
                    yield item
    except RuntimeError as error:
        give_cause(scope.run, error)
        raise
    finally:
        if _teams.get(self._team_id) is team:
            del _teams[self._team_id]


async def _take_turn(
    scope: Scope, original: Source, self: Any, messages: Any, *args: Any, **kwargs: Any
) -> AsyncIterator[Any]:
    from autogen_agentchat.base import Response

    owner = _turn(self)
    if scope.lane.owner == owner:  # on_messages of the same turn, or super()
        async with closing(original(self, messages, *args, **kwargs)) as items:
            async for item in items:
                yield item
        return
    inner = _unwindable(scope, f"agent:{self.name}", owner, **_turn_naming(scope, messages))

    def source() -> AsyncIterator[Any]:
        return original(self, messages, *args, **kwargs)

    is_opaque = may_be_opaque(self)
    turn = opaque_turn(inner, self, messages, source) if is_opaque else inner.iterate(source())
    with told(inner, "agent", self.name) as over, inner.edge():
        async with closing(turn) as items:
            async for item in items:
                if isinstance(item, Response):
                    over()
                yield item


async def _answer(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    messages: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    def call() -> Awaitable[Any]:
        return original(self, messages, *args, **kwargs)

    owner = _turn(self)
    if scope.lane.owner == owner:
        return await call()
    inner = _unwindable(scope, f"agent:{self.name}", owner, **_turn_naming(scope, messages))
    with told(inner, "agent", self.name), inner.edge():
        if may_be_opaque(self):
            return await opaque_answer(inner, self, messages, call)
        with inner.entered():
            return await call()


def _turn(agent: Any) -> tuple[str, int]:
    return ("agent", id(agent))


def _turn_naming(scope: Scope, messages: Any) -> dict[str, Any]:
    """Return what names an agent's lane: its turn in a team, else what it was told."""
    is_member = isinstance(scope.lane.owner, tuple) and scope.lane.owner[0] == _TEAM
    return {} if is_member else {"given": content_of(messages)}


def _unwindable(scope: Scope, segment: str, owner: tuple[str, int], **naming: Any) -> Scope:
    """Return the scope of a new lane in which steps park instead of raising."""
    return scope.child(segment, owner=owner, targets=(handler_tasks,), **naming)


@contextmanager
def told(inner: Scope, kind: str, name: str) -> Generator[Callable[[], None]]:
    """Tell listeners of a span around a stream.

    What it yields tells them early that the span is over: with the last item of a stream, after
    which consumers may simply leave.
    """
    is_over = False

    def over(error: BaseException | None = None) -> None:
        nonlocal is_over
        if not is_over:
            is_over = True
            inner.conclude(kind, name, error)

    inner.announce(kind, name)
    try:
        yield over
    except BaseException as error:
        over(error)
        raise
    over()


def _handle_message(
    scope: Scope | None, original: Callable[..., Any], cls: Any, ctx: Any
) -> AbstractContextManager[None]:
    """Have a team's message handled inside the team's run.

    The context that a runtime handles messages in is that of whoever started the runtime: before
    the run, or in another place of it.
    """
    del scope
    handling: AbstractContextManager[None] = original(cls, ctx)
    team = _teams.get(ctx.key)
    return handling if team is None or team.scope.run.over else _within(team.scope, handling)


@contextmanager
def _within(scope: Scope, handling: AbstractContextManager[None]) -> Generator[None]:
    with scope.entered(), handling:
        yield


async def _on_message(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, message: Any, ctx: Any
) -> Any:
    """Let nothing out of a message handler that makes AutoGen's runtimes hang."""
    if not scope.parks:  # an agent on AutoGen's core, outside of any team
        remember_runtime(scope.run, self._runtime)
        scope = scope.parking(handler_tasks)
    with scope.entered():
        work = original(self, message, ctx)
        return await ended_by(scope, work, ctx.cancellation_token, is_answer=ctx.is_rpc)


async def _await_handlers(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, *args: Any, **kwargs: Any
) -> Any:
    """Wait for message handlers, which may lie in another place of the run and be parked."""
    if scope.parks:
        return await original(self, *args, **kwargs)
    with scope.waiting():
        return await original(self, *args, **kwargs)


async def _select_speaker(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, *args: Any, **kwargs: Any
) -> Any:
    """Note whether the next turns are taken at the same time."""
    del scope
    chosen = await original(self, *args, **kwargs)
    team = _teams.get(self.id.key)
    if team is not None:
        team.is_branching = not isinstance(chosen, str) and len(chosen) > 1
    return chosen


async def _publish(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    message: Any,
    topic_id: Any,
    **kwargs: Any,
) -> Any:
    """Let members that speak at the same time be heard in the recorded order."""
    team = _teams.get(self.id.key)
    if team is not None and team.is_branching:
        await scope.order_point(team.scope.lane.path, self._agent.name)
    return await original(self, message, topic_id, **kwargs)


_GROUP_CHAT = "autogen_agentchat.teams._group_chat"

SEAMS = (
    Seam(
        "autogen_agentchat.teams:BaseGroupChat.run_stream",
        "team",
        _run_team,
        "a run that asks a person or fails inside a team hangs",
        subclasses=True,
    ),
    Seam(
        "autogen_agentchat.agents:BaseChatAgent.on_messages_stream",
        "agent",
        _take_turn,
        "steps of agents that speak at the same time may be mixed up",
        subclasses=True,
    ),
    Seam(
        "autogen_agentchat.agents:BaseChatAgent.on_messages",
        "agent",
        _answer,
        "steps of agents that speak at the same time may be mixed up",
        subclasses=True,
    ),
    Seam(
        "autogen_core:MessageHandlerContext.populate_context",
        "support",
        _handle_message,
        "steps of teams on a runtime of the program's own are not recorded",
        params=("ctx",),
        outside=True,
    ),
    Seam(
        "autogen_core:BaseAgent.on_message",
        "support",
        _on_message,
        "a run that asks a person in a message handler may hang",
    ),
    *(
        Seam(
            f"autogen_core:SingleThreadedAgentRuntime.{name}",
            "support",
            _await_handlers,
            "a task that waits for a message handler elsewhere, which asks a person, hangs",
        )
        for name in ("send_message", "stop_when_idle")
    ),
    Seam(
        f"{_GROUP_CHAT}._base_group_chat_manager:BaseGroupChatManager.select_speaker",
        "support",
        _select_speaker,
        "agents that speak at the same time may be heard in another order on resume",
        subclasses=True,
    ),
    Seam(
        f"{_GROUP_CHAT}._chat_agent_container:ChatAgentContainer.publish_message",
        "support",
        _publish,
        "agents that speak at the same time may be heard in another order on resume",
    ),
)
