"""Rules: a policy, the steps that it is for, and who laid it down; resolved field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from ..types import StepPolicy
from .match import Match, StepKind

FIELDS = tuple(one.name for one in fields(StepPolicy))
"""What a policy can say, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy with the steps that it is for.

    Attributes:
        match: Which steps.
        policy: What is put around them; fields that are None are left to other rules.
        origin: Who says so, for people: ``durably.toml, line 12``.
    """

    match: Match
    policy: StepPolicy
    origin: str


class Said(NamedTuple):
    """What a rule says about one field."""

    value: Any
    rule: Rule


@dataclass(frozen=True, slots=True)
class Resolved:
    """What all rules together say about a kind of step.

    Attributes:
        said: For each field that some rule fills, its value and the rule that decided.
    """

    said: Mapping[str, Said] = field(default_factory=dict[str, Said])

    @property
    def policy(self) -> StepPolicy:
        """The fields as one policy."""
        return StepPolicy(**{name: one.value for name, one in self.said.items()})


def rules_of(
    policies: Mapping[str, StepPolicy] | Mapping[Any, StepPolicy], origin: str
) -> list[Rule]:
    """Return policies given by pattern or :class:`Match` as rules."""
    return [Rule(Match.of(pattern), policy, origin) for pattern, policy in policies.items()]


def resolve(rules: Iterable[Rule], step: StepKind) -> Resolved:
    """Return what *rules* say about steps of one kind: of those that fit, the last, by field."""
    said: dict[str, Said] = {}
    for rule in rules:
        if rule.match.fits(step):
            for name in FIELDS:
                value = getattr(rule.policy, name)
                if value is not None:
                    said[name] = Said(value, rule)
    return Resolved(said)


def own_rules(step: StepKind, own: StepPolicy | None) -> Sequence[Rule]:
    """Return what the program itself put around a step, as a rule for it alone."""
    if own is None:
        return ()
    match = Match(name=step.name, kind=step.kind, adapter=step.adapter)
    return (Rule(match, own, "the program itself"),)
