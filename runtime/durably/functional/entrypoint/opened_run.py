"""A run of an entrypoint that is about to be driven, and what its stream is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine import Outcome, Run
from ...hosting import Host
from ..frame import Frame
from ..interrupt import refusal
from ..state.history import state_of
from ..streams.parts import Teller
from .pauses import Pauses


@dataclass(slots=True)
class Opened:
    """A run that is about to be driven."""

    run: Run
    frame: Frame
    value: Any
    teller: Teller | None
    host: Host
    pauses: Pauses
    is_answered: bool

    def began(self) -> None:
        """Tell the stream that the run begins or goes on."""
        if self.teller is None:
            return
        self.teller.is_about(self.run.id, self.frame.name)
        self.teller.heard_by(self.frame.config)
        state = state_of(self.host, self.run)
        if self.run.info.resumed and state is not None:
            self.teller.resumed(state.values)
        self.teller.began(self.frame.name, self.value, state)

    def ended(self, outcome: Outcome) -> Outcome:
        """Tell the stream how the run ended; an answer that was not taken is the caller's error."""
        if outcome.status == "waiting":
            if self.is_answered:
                outcome.error = refusal(self.run)
            state = state_of(self.host, self.run)
            outcome.value = state.values if state is not None else None
        teller, name = self.teller, self.frame.name
        if teller is None:
            return outcome
        if outcome.error is not None:
            teller.failed(name, outcome.error)
        elif outcome.status == "waiting":
            teller.waits(name, outcome.interrupts, saved=outcome.value)
        elif outcome.status == "done":
            teller.done(name, outcome.value, state_of(self.host, self.run))
            if self.pauses.after:
                teller.paused()
        return outcome
