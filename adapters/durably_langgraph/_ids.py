"""Ids of messages: the same when a graph is executed again from its top.

LangGraph's reducer for messages gives an id to each that has none; nodes refer to them by it, so a
recorded ``RemoveMessage`` must find the message that it was meant for.
"""

from __future__ import annotations

import sys
import uuid
from typing import Any

from durably.adapting import live_scope

from ._rounds import frame_here

_MODULE = "langgraph.graph.message"


class _Uuid:
    """Stands in for the module ``uuid``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(uuid, name)

    def uuid4(self) -> uuid.UUID:
        scope, frame = live_scope(), frame_here()
        # A graph that went on from its own checkpoint has messages with the ids that come first.
        if scope is None or frame is None or frame.is_continued:
            return uuid.uuid4()
        return scope.uuid()


_UUID = _Uuid()


def stand_in() -> None:
    """Put the stand-in in, if the module is imported by now."""
    module: Any = sys.modules.get(_MODULE)
    if getattr(module, "uuid", None) is uuid:
        module.uuid = _UUID


def step_down() -> None:
    """Put the real module back."""
    module: Any = sys.modules.get(_MODULE)
    if getattr(module, "uuid", None) is _UUID:
        module.uuid = uuid
