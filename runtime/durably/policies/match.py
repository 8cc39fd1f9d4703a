"""Which steps a policy is for."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple, get_args

from ..types import Kind

KINDS: tuple[str, ...] = get_args(Kind)


class StepKind(NamedTuple):
    """What all steps have in common that get the same policy."""

    adapter: str
    kind: str
    name: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which steps a policy is for; what is left out matches everything.

    Texts are compared exactly, or as globs (``delete_*``, ``gpt-4?``, ``[ab]*``) in the way of
    :func:`fnmatch.fnmatchcase`. Of several texts any may match.

    Attributes:
        name: The model's, tool's or function's name.
        kind: ``model``, ``tool``, ``task``, ``code``, ``memory``.
        adapter: The framework's adapter: ``crewai``, ``autogen``, ``langgraph``.
        agent: The name (in CrewAI the role) of the agent whose turn it is.

    Example:
        >>> Match(kind="tool", name=("delete_*", "issue_refund"), agent="Support")
        Match(name=('delete_*', 'issue_refund'), kind='tool', adapter='', agent='Support')
    """

    name: str | tuple[str, ...] = ""
    kind: str | tuple[str, ...] = ""
    adapter: str | tuple[str, ...] = ""
    agent: str | tuple[str, ...] = ""

    @classmethod
    def of(cls, pattern: str | Match) -> Match:
        """Return what a pattern stands for: a kind, ``kind:name``, or a name; globs of either."""
        if isinstance(pattern, Match):
            return pattern
        kind, colon, name = pattern.partition(":")
        if pattern in KINDS:
            return cls(kind=pattern)
        if colon and any(fnmatchcase(one, kind) for one in KINDS):
            return cls(kind=kind, name=name)
        return cls(name=pattern)

    def fits(self, step: StepKind) -> bool:
        """Say whether steps of this kind are meant."""
        return (
            _fits(self.kind, step.kind)
            and _fits(self.name, step.name)
            and _fits(self.adapter, step.adapter)
            and _fits(self.agent, step.agent)
        )

    def __str__(self) -> str:
        """Return the match for people; the same text for the same steps in every process."""
        name, kind = _shown(self.name), _shown(self.kind)
        parts = [f"{kind}:{name}" if kind and name else name or kind or "*"]
        for what, wanted in (("adapter", self.adapter), ("agent", self.agent)):
            parts += [f"{what}={_shown(wanted)}"] if wanted else []
        return " ".join(parts)


def _fits(wanted: str | tuple[str, ...], found: str) -> bool:
    if not wanted:
        return True
    several = (wanted,) if isinstance(wanted, str) else wanted
    return any(found == one or fnmatchcase(found, one) for one in several)


def _shown(wanted: str | tuple[str, ...]) -> str:
    return wanted if isinstance(wanted, str) else "|".join(wanted)
