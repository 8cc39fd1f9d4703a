"""What runs have spent, and what people decided about their limits: a fold over the journal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ..journal.records import (
    OK,
    Answered,
    Asked,
    Entry,
    RunEnded,
    RunResumed,
    RunStarted,
    StepEnded,
)
from .amounts import amount
from .estimates import used

QUESTION = "budget"
"""What questions about limits are called; after a colon comes which one, and its number."""

_NUMBERED = re.compile(r"#\d+$")


class Spent(NamedTuple):
    """What was spent.

    Attributes:
        usd: US dollars, as far as prices are known.
        tokens: Tokens of requests and answers.
    """

    usd: float = 0.0
    tokens: int = 0

    def plus(self, usage: Mapping[str, Any] | None) -> Spent:
        """Return the sum with what one step took."""
        return Spent(self.usd + float((usage or {}).get("cost") or 0.0), self.tokens + used(usage))


def spent_in(entries: Iterable[Entry], run: str | None = None) -> Spent:
    """Return what a thread's records say was spent, in all of its runs or in one of them.

    Steps that were served from a cache cost nothing. Those that a fork took over from another run
    were paid for there.
    """
    total = Spent()
    forks: set[str] = set()
    for entry in entries:
        record = entry.record
        if isinstance(record, RunStarted) and record.meta.get("source") == "fork":
            forks.add(entry.run)
        elif isinstance(record, RunResumed):
            forks.discard(entry.run)
        elif isinstance(record, StepEnded) and entry.run not in forks:
            is_paid = record.outcome == OK and not record.cached
            if is_paid and record.kind == "model" and run in (None, entry.run):
                total = total.plus(record.usage)
    return total


class Raises(NamedTuple):
    """What people decided about one limit.

    Attributes:
        limit: The limit as it is now.
        asked: How many questions about it were answered.
        is_final: Whether somebody said that it stays, and the run has not ended of it yet.
    """

    limit: float
    asked: int = 0
    is_final: bool = False

    def after(self, base: float, answer: Any) -> Raises:
        """Return what one more answer makes of it.

        Approving adds what the budget was at first; an edit or a response names the new limit. An
        answer that names no amount leaves it as it was.
        """
        verb = answer.get("type") if isinstance(answer, Mapping) else None
        limit = self.limit + base if verb == "approve" else _named(answer) or self.limit
        return Raises(limit, self.asked + 1, verb == "reject")


def raises_in(
    entries: Iterable[Entry],
    limit_name: str,
    base: float,
    value_of: Callable[[bytes], Any],
    run: str | None = None,
) -> Raises:
    """Return what the answers in *entries* made of a limit that began as *base*."""
    asked = {
        entry.record.id
        for entry in entries
        if isinstance(entry.record, Asked)
        and _NUMBERED.sub("", entry.record.name) == limit_name
        and run in (None, entry.run)
    }
    found, seen = Raises(base), set[str]()
    for entry in entries:
        record = entry.record
        if isinstance(record, Answered) and record.id in asked and record.id not in seen:
            seen.add(record.id)
            found = found.after(base, value_of(record.value))
        elif isinstance(record, RunEnded):  # taken up again, it may be asked about again
            found = found._replace(is_final=False)
    return found


def _named(answer: Any) -> float | None:
    """Return the limit that an answer names, if it names one."""
    if not isinstance(answer, Mapping):
        return None
    said = answer.get("value", answer.get("message"))
    if answer.get("type") == "edit":
        said = (answer.get("args") or {}).get("limit")
    try:
        return amount(said).value
    except ValueError:
        return None
