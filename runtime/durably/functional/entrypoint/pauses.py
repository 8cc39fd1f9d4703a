"""``interrupt_before`` and ``interrupt_after``: pauses that a caller asks for, at no question."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, TypeAlias

Names: TypeAlias = "str | Collection[str] | None"


class Pauses(NamedTuple):
    """Where one call of an entrypoint pauses.

    An entrypoint is the only node of its graph, under its own name. A pause before it leaves a run
    that has begun and is continued with ``None``; a pause after it comes when the run is done.

    Attributes:
        before: Whether a new run is begun and not executed.
        after: Whether the stream of a run that is done tells of the pause.
    """

    before: bool = False
    after: bool = False


NO_PAUSES = Pauses()


def pauses(name: str, before: Names, after: Names) -> Pauses:
    """Return where a call of the entrypoint *name* pauses.

    Args:
        name: The entrypoint's name.
        before: Names of nodes, or ``"*"`` for all, as LangGraph takes them.
        after: The same.
    """
    return Pauses(_names(before, name), _names(after, name))


def _names(wanted: Names, name: str) -> bool:
    if isinstance(wanted, str):
        return wanted in ("*", name)
    return wanted is not None and name in wanted
