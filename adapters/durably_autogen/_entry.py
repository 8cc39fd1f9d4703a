"""How a wrapped agent or team is run, and with which conversation a run of it begins."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Mapping
from typing import Any

from durably.adapting import Call, Entry, Scope, live_scope

from ._copies import copied
from ._restore import is_team, of_another_loop, renewed, revive

_CLASSES = {
    ("autogen_agentchat.agents._base_chat_agent", "BaseChatAgent"),
    ("autogen_agentchat.teams._group_chat._base_group_chat", "BaseGroupChat"),
}
_log = logging.getLogger("durably")


class _Known:
    """What is known of an object that was run in this process.

    Attributes:
        built: Its state before its first run; None if it cannot be saved.
        begun: Its state when its last run began.
        is_torn: Whether its last run was cut off in the middle.
        is_running: Whether a run of it is under way.
    """

    def __init__(self) -> None:
        self.built: Any = None
        self.begun: Any = None
        self.is_torn = False
        self.is_running = False


_known: weakref.WeakKeyDictionary[Any, _Known] = weakref.WeakKeyDictionary()


def claims(target: object) -> bool:
    """Say whether *target* is an agent or a team, without importing AutoGen."""
    return any((cls.__module__, cls.__qualname__) in _CLASSES for cls in type(target).__mro__)


def entry(target: Any) -> Entry:
    """Return how a run of an agent or a team is begun.

    Runs in one process go on with the object's conversation, as they do without durably. A run
    that is continued begins with the conversation that it first began with; a run that was cut off
    in the middle is not part of the conversation. While a run is under way, another one gets a
    copy of the object as it was built: two runs cannot share one conversation.
    """

    async def ainvoke(given: Any) -> Any:
        scope = live_scope()
        assert scope is not None
        task = _task(given)
        known = _known.get(target)
        if known is not None and known.is_running:
            other = copied(target)
            await revive(other, known.built)
            return await other.run(**task)
        is_used = known is not None
        if known is None:
            known = _known[target] = _Known()
        known.is_running = True
        try:
            await _prepare(scope, target, known, is_used=is_used)
            return await target.run(**task)
        except asyncio.CancelledError:
            known.is_torn = True
            raise
        finally:
            known.is_running = False

    return Entry(f"autogen:{_name(target)}", ainvoke=ainvoke)


def _name(target: Any) -> str:
    return str(getattr(target, "name", None) or type(target).__name__)


def _task(given: Any) -> dict[str, Any]:
    """Return the arguments of ``run`` for what ``invoke`` was given.

    Raises:
        TypeError: It is nothing that AutoGen takes as a task.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        if set(given) == {"task"}:
            return _task(given["task"])
        listed = ", ".join(sorted(map(str, given))) or "nothing"
        raise TypeError(
            f'an AutoGen run is given a task or {{"task": …}}, not a mapping of {listed}'
        )
    if isinstance(given, str) or hasattr(given, "to_model_message"):
        return {"task": given}
    if isinstance(given, list | tuple):
        return {"task": list(given)}
    raise TypeError(f"an AutoGen run is given a text or messages, not a {type(given).__qualname__}")


async def _prepare(scope: Scope, target: Any, known: _Known, *, is_used: bool) -> None:
    """Bring *target* into the state that this run begins with.

    The state is recorded only if the object was run before: otherwise it is as it was built, in
    the process that continues the run too.
    """
    if not is_used:
        known.built = known.begun = await _state(target)
    elif is_team(target) and of_another_loop(target):
        await renewed(target, await _state(target))
    step = scope.open(Call("task", "state", _name(target), adapter="autogen"))
    if step.held is not None:
        known.begun = step.replay()
        await revive(target, known.begun)
    elif is_used and scope.run.info.resumed:
        known.begun = known.built
        await revive(target, known.begun)
    elif is_used:
        if known.is_torn:
            await revive(target, known.begun)
        known.begun = await scope.aperform(step, lambda: _state(target))
    known.is_torn = False


async def _state(target: Any) -> Any:
    try:
        return await target.save_state()
    except Exception as error:
        _log.warning(
            "the state of %s cannot be saved (%s: %s); a run that is continued in another process "
            "begins with the object as it was built",
            _name(target),
            type(error).__name__,
            error,
        )
        return None
