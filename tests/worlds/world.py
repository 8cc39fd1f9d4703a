"""The world around a program: what its processes share, and what differs between them.

A world outlives the processes of its program: the ledger of effects, files, mail boxes, services
that are down for a while. A process of the program dies at a chosen *point*; points are counted in
each process anew. From then on nothing in the world can be changed until the next process begins.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


class Died(BaseException):
    """The process is dead: nothing that it still does has any effect."""


_doing: ContextVar[str] = ContextVar("doing", default="")
"""The intent of the effect that this line of control did last."""

Outage = ConnectionError
"""What a service raises that is down; the program may survive it."""


@dataclass(slots=True)
class Deed:
    """One effect in the ledger.

    Attributes:
        intent: What the program meant by it, which its request need not say.
        name: The tool's or task's name.
        args: Its arguments as they arrived.
        process: The process that did it, from 0.
        version: The version of the program's source that did it.
        is_marked: Whether the journal says that it began.
        is_recorded: Whether the journal is known to hold its outcome.
    """

    intent: str
    name: str
    args: dict[str, Any]
    process: int
    version: int
    is_marked: bool
    is_recorded: bool = False


@dataclass
class World:
    """What the processes of one program share.

    Attributes:
        process: Which process runs, from 0.
        version: The version of the program's source in this process.
        ledger: Every effect, in order.
        files: What the program keeps for itself: outputs, checkpoints, mail boxes.
        failures: How often each service has failed so far.
        answers: The answers that people gave, by the question's text.
        paid: How many model calls were made.
        told: Names of effects that the runtime said it repeats.
        points: How many points this process has passed.
        dies_at: The point at which this process dies; 0: it does not.
        diary: What happened, for people who look into one seed.
        is_dead: Whether this process is dead.
        pending: Effects that this process has come to and was given no outcome of: their arguments.
    """

    process: int = 0
    version: int = 1
    ledger: list[Deed] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    paid: int = 0
    told: list[str] = field(default_factory=list)
    points: int = 0
    dies_at: int = 0
    diary: list[str] = field(default_factory=list)
    is_dead: bool = False
    pending: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the lock behind: a world may come back from a forked process."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def begin(self, dies_at: int = 0) -> None:
        """Begin a process that dies at a point; 0: at none."""
        self.points, self.dies_at, self.is_dead = 0, dies_at, False
        self.pending = {}
        self.note(f"process {self.process} begins (version {self.version})")

    def note(self, text: str) -> None:
        """Write a line into the diary."""
        self.diary.append(text)

    def reaches(self, what: str) -> bool:
        """Pass one more point; say whether the process dies there."""
        with self._lock:
            if self.is_dead:
                return True
            self.points += 1
            if self.points == self.dies_at:
                self.is_dead = True
                self.note(f"  DIES at point {self.points}: {what}")
            return self.is_dead

    def check(self) -> None:
        """Refuse everything once the process is dead.

        Raises:
            Died: It is.
        """
        if self.is_dead:
            raise Died

    def point(self, what: str) -> None:
        """Pass a point in plain code.

        Raises:
            Died: The process dies there.
        """
        if self.reaches(what):
            raise Died

    def do(self, intent: str, name: str, args: dict[str, Any], *, is_marked: bool) -> None:
        """Do an effect, which nobody can take back."""
        with self._lock:
            self.check()
            deed = Deed(intent, name, dict(args), self.process, self.version, is_marked)
            self.ledger.append(deed)
            _doing.set(intent)
            self.note(f"  effect {intent}: {name}({args})")

    def recorded(self) -> None:
        """Note that the journal holds the outcome of the effect that the calling code did."""
        with self._lock:
            self._mark(_doing.get())

    def comes_to(self, intent: str, args: dict[str, Any]) -> None:
        """Note that the program has come to an effect."""
        self.check()
        self.pending[intent] = args

    def returned(self, intent: str) -> None:
        """Note that the program was handed the outcome of an effect."""
        with self._lock:
            self.pending.pop(intent, None)
            self._mark(intent)

    def _mark(self, intent: str) -> None:
        done = self.done(intent)
        if done and done[-1].process == self.process:
            done[-1].is_recorded = True

    def done(self, intent: str) -> list[Deed]:
        """Return the deeds of an intent."""
        return [deed for deed in self.ledger if deed.intent == intent]

    def write(self, file: str, value: Any) -> None:
        """Write a file in plain code."""
        self.check()
        self.files[file] = value
        self.note(f"  wrote {file} = {value!r}")
        self.point(f"wrote {file}")

    def consume(self, box: str, item: Any, *, silently: bool = False) -> None:
        """Take an item out of a box; *silently* where an effect does it by itself."""
        self.check()
        if item in self.files[box]:
            self.files[box] = [one for one in self.files[box] if one != item]
            self.note(f"  consumed {item} of {box}")
        if not silently:
            self.point(f"consumed {item}")

    def fails(self, service: str, times: int, *, lasting: bool = False) -> bool:
        """Say whether a service that fails so many times in all fails now.

        Args:
            service: Which one.
            times: How often.
            lasting: Whether it fails as often in each process anew.
        """
        self.check()
        key = f"{service}@{self.process}" if lasting else service
        so_far = self.failures.get(key, 0)
        if so_far < times:
            self.failures[key] = so_far + 1
            self.note(f"  {service} fails ({so_far + 1} of {times})")
        return so_far < times

    def rotated(self, items: Sequence[Any]) -> list[Any]:
        """Return *items* in this process's own order, as a set of strings has it."""
        found = [*items]
        random.Random(f"{self.process}:{found}").shuffle(found)
        return found

    def drawn(self, key: str) -> random.Random:
        """Return random numbers of this process's own."""
        return random.Random(f"{self.process}:{key}")
