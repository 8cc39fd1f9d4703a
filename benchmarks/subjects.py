"""What is measured: one library on one storage with one durability, and what that promises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NOTHING = "nothing outlives the process"
KILL = "a step is committed before its value is used; survives kill -9"
POWER = "a step is committed and synced before its value is used; survives a power cut"
AT_THE_END = "written when the run ends; a kill loses the run"
BEHIND = "written in the background; a kill repeats finished steps"
RETURNED = "the server has committed a step before its value is used"


@dataclass(frozen=True)
class Subject:
    """One library on one storage with one durability.

    Attributes:
        library: ``durably``, ``langgraph``, ``dbos`` or ``floor``.
        storage: ``none``, ``memory``, ``sqlite`` or ``postgres``.
        mode: The durability asked for, by the library's own word; empty is its default.
        promise: What is on disk when.
        wide: Whether it is told to run as many tasks at once as there are.
    """

    library: str
    storage: str
    mode: str = ""
    promise: str = NOTHING
    wide: bool = False

    @property
    def name(self) -> str:
        """What it is called in tables and on the command line."""
        words = [self.library, self.storage, self.mode, "wide" if self.wide else ""]
        return " ".join(word for word in words if word)

    @property
    def persists(self) -> bool:
        """Whether another process can go on with its runs."""
        return self.storage in {"sqlite", "postgres"}


def _langgraph() -> Iterable[Subject]:
    yield Subject("langgraph", "none")
    yield Subject("langgraph", "memory")
    yield Subject("langgraph", "memory", wide=True)
    for storage in ("sqlite", "postgres"):
        yield Subject("langgraph", storage, "exit", AT_THE_END)
        yield Subject("langgraph", storage, "async", BEHIND)
        yield Subject("langgraph", storage, "sync", BEHIND)


ALL = (
    Subject("floor", "none", promise="a plain function call"),
    Subject("floor", "sqlite", "normal", "a bare INSERT committed to the WAL; survives kill -9"),
    Subject("floor", "sqlite", "full", "a bare INSERT committed and synced; survives a power cut"),
    Subject("floor", "postgres", promise="a bare INSERT committed by the server"),
    Subject("durably", "none"),
    Subject("durably", "memory"),
    Subject("durably", "sqlite", promise=KILL),
    Subject("durably", "sqlite", "power", POWER),
    Subject("durably", "sqlite", "async", BEHIND),
    Subject("durably", "sqlite", "exit", AT_THE_END),
    Subject("durably", "postgres", promise=RETURNED),
    *_langgraph(),
    Subject("dbos", "sqlite", promise=POWER),
    Subject("dbos", "postgres", promise=RETURNED),
)

BY_NAME = {subject.name: subject for subject in ALL}
