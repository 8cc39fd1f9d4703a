"""A step as the journal keeps it: its request and value in parts, its usage with a price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import EncodeError
from ..call import Call
from ..options import Stored
from ..replay.fingerprint import unpack
from ..replay.lane import shown_lane
from ..run.run import Run


def place_of(run: str, lane: str, kind: str, name: str) -> str:
    """Return a step and its place, for messages: ``run 4f2a, crew/task:write: tool send_mail``."""
    inside = f", {shown_lane(lane)}" if lane else ""
    return f"run {run}{inside}: {kind} {name}"


def priced(
    run: Run, call: Call, usage: Mapping[str, Any] | None, model: str
) -> Mapping[str, Any] | None:
    """Return the usage of a model call with its cost, and with the model if it was another one.

    Args:
        run: The run, whose host knows prices.
        call: The call.
        usage: Tokens and the like; None if the call tells none.
        model: The model that was called in the place of the call's own; empty for its own.
    """
    price = run.options.price
    if not usage or call.kind != "model":
        return usage
    told = {**usage, "model": model} if model else usage
    cost = price(model or call.name, usage) if price is not None else None
    return told if cost is None else {**told, "cost": cost}


def split_request(run: Run, call: Call, packed: bytes, *, is_plain: bool) -> Stored:
    """Return a large request as stored: a long history costs only the messages not seen before.

    It is split before the step is executed, which may change what it was given.

    Args:
        run: The run.
        call: The call.
        packed: Its request in plain form, packed.
        is_plain: Whether the request itself is the same as that data; then its strings are known.
    """
    return run.codec.split(call.request if is_plain else unpack(packed), is_large=True)


def unwritable(run: Run, call: Call, lane: str, value: Any, error: EncodeError) -> Stored:
    """Return what the journal keeps of a value that it cannot hold.

    Raises:
        Suspended: The host does not know how to keep it; the run ends with *error*.
    """
    if run.options.unwritable is None:
        error.add_note(f"in {place_of(run.id, lane, call.kind, call.name)}")
        run.stop(error)
    return run.options.unwritable(value)
