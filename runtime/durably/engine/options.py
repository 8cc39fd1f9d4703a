"""What a host lays down for its runs: terms of steps, listeners, time, who answers questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ..listeners import Listeners
from ..types import Interrupt, OnChange, RunInfo, StepPolicy
from .call import Call
from .clock import Clock, SystemClock
from .gates import Gate, Terms
from .source_files import Sources

Answerer = Callable[[Interrupt, RunInfo], "Answer | None"]
Escalation = Callable[[Interrupt, RunInfo], "Answer | Extension | None"]
Stored = tuple[bytes, Mapping[bytes, bytes]]
"""A value as the journal keeps it: its body, and the large parts that the body refers to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question.

    Attributes:
        value: What was answered.
        by: Who answered, for the record.
    """

    value: Any
    by: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """More time for a question whose deadline is over.

    Attributes:
        seconds: How long it waits from now on.
    """

    seconds: float


_NO_TERMS = Terms(StepPolicy())


def plain_terms(call: Call, agent: str) -> Terms:
    """Return the terms of a step that only the program itself put something around."""
    del agent
    return _NO_TERMS if call.policy is None else Terms(call.policy)


@dataclass(slots=True)
class Options:
    """What is the same for every run of one host.

    Attributes:
        terms: Says what is put around a call that the agent of this name makes.
        approval: The gate before steps that a person must agree to; it also stands before a step
            that one was asked about, whatever the terms say by now.
        on_change: What happens to a step whose request changed, where no policy says otherwise.
        listeners: Who watches.
        clock: Time.
        answerer: Asked once for each question before the run is suspended.
        price: Says what a model call cost in USD, if it knows: the model's name, and its usage.
        prompter: Asks the person at the terminal, who may take as long as they like.
        escalate: Asked when a question's deadline is over, before its default is taken.
        sources: The program's files.
        catches_input: Whether what a program reads from the terminal itself is a step.
        asks_here: Whether a question is put to a person at once, the way the program itself would
            put it, where its adapter offers that; the run is not suspended then.
        volatile: Text that may differ between two processes, as patterns; the rest must be equal.
        items: Names of effects, or globs, whose arguments say which item they are about, so that
            another one is other work and nobody is asked.
        relays: Whether parts that a step writes while it goes are recorded for other processes.
        unwritable: Makes what is stored of a value that cannot be written; None: the run stops.
            Only for runs that no other process will continue.
    """

    terms: Callable[[Call, str], Terms] = plain_terms
    approval: Gate | None = None
    on_change: OnChange = "auto"
    listeners: Listeners = field(default_factory=Listeners)
    clock: Clock = field(default_factory=SystemClock)
    answerer: Answerer | None = None
    price: Callable[[str, Mapping[str, Any]], float | None] | None = None
    prompter: Answerer | None = None
    escalate: Escalation | None = None
    sources: Sources = field(default_factory=Sources)
    catches_input: bool = False
    asks_here: bool = False
    volatile: tuple[re.Pattern[str], ...] = ()
    items: tuple[str, ...] = ()
    relays: bool = False
    unwritable: Callable[[Any], Stored] | None = None

    def is_item(self, name: str) -> bool:
        """Return whether the arguments of effects of that name say which item they are about."""
        return any(fnmatchcase(name, one) for one in self.items)
