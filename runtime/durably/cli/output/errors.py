"""Errors as people see them: ours in one message, the program's as Python would show them."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path
from types import FrameType, TracebackType

_HERE = str(Path(__file__).parents[2]) + os.sep


def message_of(error: BaseException) -> str:
    """Return what an error of durably's says, with the notes that were added on its way."""
    return " ".join([str(error), *(f"({note})" for note in getattr(error, "__notes__", ()))])


def show_uncaught(error: BaseException, ours: Collection[str]) -> None:
    """Show an error that a script did not catch, by the script's own ``sys.excepthook``.

    Args:
        error: The error.
        ours: Top-level packages whose frames are left out: the program did not call them.
    """
    _hide(error, ours, set())
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except Exception:
        sys.__excepthook__(type(error), error, error.__traceback__)


def _hide(error: BaseException | None, ours: Collection[str], seen: set[int]) -> None:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = _without(error.__traceback__, ours) or error.__traceback__
    _hide(error.__cause__, ours, seen)
    _hide(error.__context__, ours, seen)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            _hide(one, ours, seen)


def _without(trace: TracebackType | None, ours: Collection[str]) -> TracebackType | None:
    entries: list[TracebackType] = []
    while trace is not None:
        if not _is_ours(trace.tb_frame, ours):
            entries.append(trace)
        trace = trace.tb_next
    made: TracebackType | None = None
    for entry in reversed(entries):
        made = TracebackType(made, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return made


def _is_ours(frame: FrameType, ours: Collection[str]) -> bool:
    if frame.f_code.co_filename.startswith(_HERE):  # a seam's gate has its original's globals
        return True
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in ours
