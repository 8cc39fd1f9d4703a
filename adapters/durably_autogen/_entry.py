"""How a wrapped agent or team is run, and with which conversation a run of it begins."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from durably.adapting import Call, Entry, Run, Scope, live_scope, recall, remember
from durably.errors import ResumeError

from .threads._conversation import Conversation, of_plain
from .threads._loans import Lent, loans
from .threads._restore import is_team

_CLASSES = {
    ("autogen_agentchat.agents._base_chat_agent", "BaseChatAgent"),
    ("autogen_agentchat.teams._group_chat._base_group_chat", "BaseGroupChat"),
}
_log = logging.getLogger("durably")


def claims(target: object) -> bool:
    """Say whether *target* is an agent or a team, without importing AutoGen."""
    return any((cls.__module__, cls.__qualname__) in _CLASSES for cls in type(target).__mro__)


def entry(target: Any) -> Entry:
    """Return how a run of an agent or a team is begun.

    A run begins with the conversation that its thread's last run came to, in whichever process
    that was, and in a new thread with the object as its program made it. What a run that failed,
    or still waits, has said so far is no part of the thread's conversation. After a run the object
    holds again what it held before. While one run has it, or a part of it, others get copies.
    """
    lend = loans(target)

    async def ainvoke(given: Any) -> Any:
        scope = live_scope()
        assert scope is not None
        task = _task(given)
        with lend.lent(target, scope.run) as lent:
            await _begin(scope, lent)
            result = await lent.target.run(**task)
            await _keep(scope.run, lent)
            return result

    kind = "autogen:team" if is_team(target) else "autogen:agent"
    return Entry(kind, None, ainvoke, _title(target), f"autogen:{_name(target)}")


def _title(target: Any) -> str:
    """Return what tells an agent or a team from others, the same in every process."""
    if not is_team(target):
        return _name(target)
    members = ", ".join(_title(member) for member in target._participants)
    return f"{_name(target)}({members})"


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


async def _begin(scope: Scope, lent: Lent) -> None:
    """Have the object hold the conversation that this run begins with.

    Raises:
        ResumeError: The thread's conversation is not there, or does not fit the object.
    """
    told = _told(scope, lent)
    if told is None and lent.is_new and lent.original.is_held_by(lent.target):
        return
    try:
        await lent.original.begin(lent.target, told)
    except Exception as error:
        if told is None:
            raise
        info = scope.run.info
        raise ResumeError(
            f"thread {info.thread!r} holds a conversation of {info.entry} that cannot be put into "
            f"the {_name(lent.target)} given now ({type(error).__name__}: {error}). Wrap it with "
            "the members that it had, or begin another thread."
        ) from error


def _told(scope: Scope, lent: Lent) -> Conversation | None:
    """Return the conversation that a run begins with; None if its thread has none yet."""
    run = scope.run
    if any(one.name == "state" for one in scope.recorded("task")):  # told so by earlier journals
        step = scope.open(Call("task", "state", _name(lent.target), adapter="autogen"))
        return Conversation(step.replay())
    kept = recall(run)
    if kept is None:
        return None
    if "lost" in kept:
        raise ResumeError(
            f"what {run.info.entry} had been told on thread {run.info.thread!r} is not known: it "
            f"could not be saved when its last run ended ({kept['lost']}). Begin another thread."
        )
    return of_plain(kept)


async def _keep(run: Run, lent: Lent) -> None:
    """Keep the conversation for the thread's next run."""
    if run.stopping:
        return
    try:
        taken = await lent.original.taken_from(lent.target)
        remember(run, taken.plain())
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        _log.warning(
            "thread %r cannot be given another input: the state of %s cannot be saved (%s)",
            run.info.thread,
            _name(lent.target),
            said,
        )
        remember(run, {"lost": said})
