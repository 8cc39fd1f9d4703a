"""What becomes of a run's outcome where it was invoked."""

from __future__ import annotations

from typing import Any

from ..engine import Outcome
from ..types import Interrupt


def delivered(outcome: Outcome) -> Any:
    """Return what ``invoke`` returns for an outcome, or raise what it raises."""
    if outcome.status == "waiting" and outcome.error is None:
        return {"__interrupt__": list[Interrupt](outcome.interrupts)}
    if outcome.status == "done":
        return outcome.value
    assert outcome.error is not None
    raise outcome.error
