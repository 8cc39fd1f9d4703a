"""What a host lays down for its runs: policies, listeners, time, who answers questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as copy_with
from fnmatch import fnmatchcase
from typing import Any

from ..hooks.listeners import Listeners
from ..types import Interrupt, OnChange, RunInfo, StepPolicy
from ._call import Call
from ._clock import Clock, SystemClock
from ._program import Sources

Answerer = Callable[[Interrupt, RunInfo], "Answer | None"]
Stored = tuple[bytes, dict[bytes, bytes]]
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


@dataclass(slots=True)
class Options:
    """What is the same for every run of one host.

    Attributes:
        policies: Step policies by pattern: a step's name, ``kind:name``, or a glob of either
            (``"send_*"``, ``"model:*"``). The last match wins, field by field.
        on_change: What happens to a step whose request changed, where no policy says otherwise.
        listeners: Who watches.
        clock: Time.
        answerer: Asked once for each question before the run is suspended.
        sources: The program's files.
        asks_here: Whether a question is put to a person at once, the way the program itself would
            put it, where its adapter offers that; the run is not suspended then.
        unwritable: Makes what is stored of a value that cannot be written; None: the run stops.
            Only for runs that no other process will continue.
    """

    policies: Mapping[str, StepPolicy] = field(default_factory=dict[str, StepPolicy])
    on_change: OnChange = "auto"
    listeners: Listeners = field(default_factory=Listeners)
    clock: Clock = field(default_factory=SystemClock)
    answerer: Answerer | None = None
    sources: Sources = field(default_factory=Sources)
    asks_here: bool = False
    unwritable: Callable[[Any], Stored] | None = None
    _resolved: dict[tuple[str, str], StepPolicy] = field(
        default_factory=dict[tuple[str, str], StepPolicy]
    )

    def policy(self, call: Call) -> StepPolicy:
        """Return what is put around *call*: the host's patterns over the program's own policy."""
        if not self.policies:
            return call.policy or _NO_POLICY
        key = (call.kind, call.name)
        merged = self._resolved.get(key)
        if merged is None:
            merged = _NO_POLICY
            for pattern, policy in self.policies.items():
                if fnmatchcase(call.name, pattern) or fnmatchcase(":".join(key), pattern):
                    merged = _over(policy, merged)
            self._resolved[key] = merged
        return _over(merged, call.policy) if call.policy else merged


_NO_POLICY = StepPolicy()


def _over(upper: StepPolicy, lower: StepPolicy) -> StepPolicy:
    """Lay *upper* over *lower*: what it leaves open stays as it was."""
    return copy_with(
        lower,
        retry=upper.retry or lower.retry,
        effect=upper.effect or lower.effect,
        timeout=upper.timeout or lower.timeout,
        on_change=upper.on_change or lower.on_change,
    )
