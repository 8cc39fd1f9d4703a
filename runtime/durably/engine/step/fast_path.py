"""The step that the journal holds next, met by a program that goes on where it was.

Most of what such a program comes to comes in the journal's order and with the same request. It is
replayed here for little more than its row takes to be read: it needs no hash, no terms and no
description. Whatever is out of the ordinary is left to :mod:`.step`, which decides about any step.
"""

from __future__ import annotations

from typing import Any, Final

from ...errors import DurablyError
from ...types import Kind
from ..replay.fingerprint import packed_form
from ..replay.lane import Lane, line_here
from ..run.run import Run

NOTHING: Final = object()
"""What there is instead of a value."""


def replayed_next(run: Run, lane: Lane, kind: Kind, name: str, request: object) -> Any:
    """Return the value of the step that the journal holds next if it is this one, else NOTHING.

    Asked only while the run's past is orderly (:attr:`Past.is_orderly`).
    """
    past, log = run.past, run.log
    if log is None or run.sink is not None:
        return NOTHING
    if run.interleaved or run.options.listeners.step_replayed:
        return NOTHING
    packed, _ = packed_form(request)
    with run.lock:
        ahead = past.ahead()
        if ahead is None or ahead.request != packed or not lane.meets(ahead, kind, name):
            return NOTHING
        past.pass_by()
        line = line_here()
        if line != lane.home:
            lane.is_home(line)  # who comes first to a step is at home
        run.replayed += 1
        run.stir()
        run.tick(ahead)
    try:
        return log.value(ahead.value)
    except DurablyError as error:
        run.stop(error)
