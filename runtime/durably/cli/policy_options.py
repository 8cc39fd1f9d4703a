"""Options that set policies and budgets for one command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import ConfigError
from ..limits import Budget
from ..policies import Config, Match, Rule, budget, config_for, read, value_of
from ..types import StepPolicy

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOptions:
    """The options of a command line that say what is put around steps.

    Each is ``[PATTERN=]VALUE``; without a pattern it is meant for models.
    """

    retry: Sequence[str] = ()
    timeout: Sequence[str] = ()
    cache: Sequence[str] = ()
    rate: Sequence[str] = ()
    concurrency: Sequence[str] = ()
    fallback: Sequence[str] = ()
    on_exhausted: Sequence[str] = ()
    budget: Sequence[str] = ()
    config: str | None = None

    def words(self) -> list[str]:
        """Return them as they are written on a command line."""
        words: list[str] = []
        for one in fields(PolicyOptions):
            said: Any = getattr(self, one.name)
            for value in [said] if isinstance(said, str) else said or ():
                words += [f"--{one.name.replace('_', '-')}", value]
        return words

    def over(self, program: Path | None) -> Config:
        """Return what the nearest file says, with these options over it.

        Args:
            program: The program's file, if it has one.

        Raises:
            ConfigError: The file or an option says what cannot be.
        """
        if self.config is not None:
            found = Config() if self.config == "none" else read(Path(self.config))
        else:
            found = config_for(program)
        return found.under(list(self._rules()), [_budget(one) for one in self.budget])

    def _rules(self) -> Iterable[Rule]:
        for one in fields(PolicyOptions):
            if one.name not in ("budget", "config"):
                for said in getattr(self, one.name):
                    yield _rule(one.name, said)


def policy_options(command: F) -> F:
    """Give a command the options of :class:`PolicyOptions`."""
    for name, metavar, text in reversed(_OPTIONS):
        made = click.option(f"--{name}", metavar=metavar, multiple=True, help=text)
        command = made(command)
    return click.option(
        "--config",
        metavar="FILE",
        help="A file with policies, in place of the nearest durably.toml or pyproject.toml; "
        "'none' for no file.",
    )(command)


_OPTIONS = (
    ("budget", "AMOUNT", "What the run may spend before a person is asked: 2USD, thread:200ktok."),
    ("retry", "[PATTERN=]N", "How many attempts a step has."),
    ("timeout", "[PATTERN=]TIME", "How long one attempt may take: 90s, tool=5m."),
    ("cache", "[PATTERN=]TIME", "For how long answers serve the same request again: 24h."),
    ("rate", "[PATTERN=]RATE", "How often steps may begin: 60rpm,90ktpm."),
    ("concurrency", "[PATTERN=]N", "How many steps may be under way at once."),
    ("fallback", "[PATTERN=]MODEL", "The model to call when one is down or its quota used up."),
    (
        "on-exhausted",
        "[PATTERN=]WHAT",
        "What to do when attempts are used up by an outage: fail, or park the run.",
    ),
)


def _rule(field: str, said: str) -> Rule:
    origin = f"--{field.replace('_', '-')} {said}"
    pattern, equals, value = said.rpartition("=")
    if equals and not pattern:
        raise ConfigError(origin, 0, "there is no pattern in front of =")
    try:
        policy = StepPolicy(**{field: value_of(field, value)})
    except ValueError as error:
        raise ConfigError(origin, 0, str(error)) from None
    return Rule(Match.of(pattern or "model"), policy, origin)


def _budget(said: str) -> Budget:
    try:
        return budget(said)
    except ValueError as error:
        raise ConfigError(f"--budget {said}", 0, str(error)) from None
