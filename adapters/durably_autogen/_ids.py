"""Messages' ids and times: the same on replay, so that a replayed transcript is the recorded one.

AutoGen's modules ask their own globals ``uuid`` and ``datetime``; stand-ins are put there that
answer for the run inside a run, and are the real thing outside of one.
"""

from __future__ import annotations

import sys
import uuid
from datetime import datetime, tzinfo
from typing import Any

from durably.adapting import live_scope

_UUIDS_IN = (
    "autogen_agentchat.messages",
    "autogen_agentchat.agents._assistant_agent",
    "autogen_agentchat.agents._user_proxy_agent",
    "autogen_agentchat.agents._code_executor_agent",
)
_TIMES_IN = ("autogen_agentchat.messages",)


class _Uuid:
    """Stands in for the module ``uuid``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(uuid, name)

    def uuid4(self) -> uuid.UUID:
        scope = live_scope()
        return uuid.uuid4() if scope is None else scope.uuid()


class _Datetime(datetime):
    """Stands in for the class ``datetime``; what it makes are plain datetimes."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # not Self
        scope = live_scope()
        if scope is None:
            return datetime.now(tz)
        moment = scope.now().astimezone(tz)
        return moment if tz is not None else moment.replace(tzinfo=None)


_UUID = _Uuid()


def stand_in() -> None:
    """Put the stand-ins into those modules that are imported by now."""
    for module in _loaded(_UUIDS_IN):
        if getattr(module, "uuid", None) is uuid:
            module.uuid = _UUID
    for module in _loaded(_TIMES_IN):
        if getattr(module, "datetime", None) is datetime:
            module.datetime = _Datetime


def step_down() -> None:
    """Put the real ones back."""
    for module in _loaded(_UUIDS_IN):
        if getattr(module, "uuid", None) is _UUID:
            module.uuid = uuid
    for module in _loaded(_TIMES_IN):
        if getattr(module, "datetime", None) is _Datetime:
            module.datetime = datetime


def _loaded(names: tuple[str, ...]) -> list[Any]:
    return [sys.modules[name] for name in names if name in sys.modules]
