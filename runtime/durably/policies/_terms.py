"""The terms of a step: what all rules say about it, made into gates once and kept."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine import Call, Gate, Terms, plain_terms
from ..types import StepPolicy
from ._match import StepKind
from ._rules import Resolved, Rule, own_rules, resolve

_MOST_KNOWN = 4096


class Policies:
    """Every rule of a host; safe to share between threads.

    Args:
        rules: The rules, those that are nearest to the user's hand last.
        approval: What asks a person before a step with ``approve`` is executed.
    """

    def __init__(self, rules: Iterable[Rule] = (), *, approval: Gate | None = None) -> None:
        self.rules = tuple(rules)
        self._approval = approval
        self._known: dict[tuple[str, str, str, str, int], tuple[StepPolicy | None, Terms]] = {}

    def add(self, rules: Iterable[Rule]) -> None:
        """Lay down more rules, on top of those there are."""
        self.rules = (*self.rules, *rules)
        self._known.clear()

    def terms(self, call: Call, agent: str) -> Terms:
        """Return what is put around *call*: one look-up, after the first of its kind."""
        if not self.rules and call.policy is None:
            return plain_terms(call, agent)
        key = (call.adapter, call.kind, call.name, agent, id(call.policy))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:  # names that a program makes up as it goes
                self._known.clear()
            # The program's policy is kept beside its id, which could be another's otherwise.
            known = (call.policy, self._made(StepKind(*key[:4]), call.policy))
            self._known[key] = known
        return known[1]

    def resolved(self, step: StepKind, own: StepPolicy | None = None) -> Resolved:
        """Return what the rules say about a kind of step, and which rule decided what."""
        return resolve((*own_rules(step, own), *self.rules), step)

    def _made(self, step: StepKind, own: StepPolicy | None) -> Terms:
        found = self.resolved(step, own)
        policy = found.policy
        once: list[Gate] = []
        each: list[Gate] = []
        if policy.approve and self._approval is not None:
            once.append(self._approval)
        return Terms(policy, tuple(once), tuple(each))
