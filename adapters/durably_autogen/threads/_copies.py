"""Copies of agents and teams, so that several runs of one object can go on at the same time.

An AutoGen object holds one conversation. A copy holds another: what remembers (agents, model
contexts, memories, termination conditions, plain data) is its own, what works (model clients,
tools, functions, objects of the program's own) is shared with the original.
"""

from __future__ import annotations

import asyncio
import copy
import uuid
from dataclasses import is_dataclass
from typing import Any

from ._holders import bases_of, leads_to_holders
from ._restore import is_team


def copied(target: Any) -> Any:
    """Return a copy of an agent or a team; its members are copies too, and *target* is untouched.

    The copy holds what the original has said so far.
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
    if id(value) in made:
        return made[id(value)]
    bases = bases_of(value)
    if leads_to_holders(bases):
        return _copied(value, made)
    if type(value) in (list, tuple, set):
        return type(value)(_own(item, made) for item in value)
    if type(value) is dict:
        return {key: _own(item, made) for key, item in value.items()}
    if hasattr(type(value), "model_fields") or (is_dataclass(value) and not callable(value)):
        return _data(value)
    return value


def _data(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # a lock, a connection: it works, and is shared
        return value


def _name_anew(team: Any, before: str) -> None:
    """Give a copied team an id of its own, and with it topics of its own."""
    after = str(uuid.uuid4())
    for name, value in vars(team).items():
        if isinstance(value, str):
            setattr(team, name, value.replace(before, after))
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            setattr(team, name, [item.replace(before, after) for item in value])
