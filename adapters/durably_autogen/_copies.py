"""Copies of agents and teams, so that several runs of one object can go on at the same time.

An AutoGen object holds one conversation. A copy holds another: what remembers (model contexts,
termination conditions, plain data) is its own, what works (model clients, tools, workbenches,
functions) is shared with the original.
"""

from __future__ import annotations

import asyncio
import copy
import uuid
from typing import Any

from ._restore import is_team

_REMEMBERING = ("ChatCompletionContext", "TerminationCondition")
"""Base classes of what holds a part of the conversation."""

_AGENTS = frozenset({"BaseChatAgent", "BaseGroupChat"})


def copied(target: Any) -> Any:
    """Return a copy of an agent or a team; its members are copies too, and *target* is untouched.

    The copy may hold what the original has said so far: it is to be revived before it runs.
    """
    return _copied(target, {})


def _copied(target: Any, made: dict[int, Any]) -> Any:
    if id(target) in made:
        return made[id(target)]
    clone = made[id(target)] = copy.copy(target)
    for name, value in vars(target).items():
        setattr(clone, name, _own(value, made))
    if is_team(clone):
        _name_anew(clone, target._team_id)
        clone._output_message_queue = asyncio.Queue()
        clone._initialized = clone._is_running = False
    return clone


def _own(value: Any, made: dict[int, Any]) -> Any:
    """Return what a copy has in the place of *value*."""
    bases = {cls.__name__ for cls in type(value).__mro__}
    if bases & _AGENTS:
        return _copied(value, made)
    if not bases.isdisjoint(_REMEMBERING):
        return copy.deepcopy(value)
    if type(value) in (list, tuple, set):
        return type(value)(_own(item, made) for item in value)
    if type(value) is dict:
        return {key: _own(item, made) for key, item in value.items()}
    return value


def _name_anew(team: Any, before: str) -> None:
    """Give a copied team an id of its own, and with it topics of its own."""
    after = str(uuid.uuid4())
    for name, value in vars(team).items():
        if isinstance(value, str):
            setattr(team, name, value.replace(before, after))
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            setattr(team, name, [item.replace(before, after) for item in value])
