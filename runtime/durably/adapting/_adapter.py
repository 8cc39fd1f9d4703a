"""What an adapter is: a table of seams, and what it knows about its framework's values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

from ..journal import TypeCodec

SeamKind: TypeAlias = Literal[
    "model", "tool", "human", "code", "memory", "agent", "task", "team", "flow", "support"
]
"""A leaf kind, a span, or ``support``: what only keeps the others working."""

Around: TypeAlias = Callable[..., Any]
"""``around(scope, original, *args, **kwargs)``: what is done instead of ``original(*args, …)``.

A function, a coroutine function or an async generator function, like the original. It is called
only inside a run, unless the seam says otherwise.
"""

ESSENTIAL = frozenset({"model", "tool"})
"""Kinds of seam without which paid or effectful work would be repeated."""


@dataclass(frozen=True, slots=True)
class Seam:
    """One function of a framework where a step, a span or a question is caught.

    Attributes:
        target: Where it is: ``"crewai.llms.base_llm:BaseLLM.call"``.
        kind: What it is.
        around: What is done instead, inside a run.
        loses: What a user loses where the seam is missing.
        params: Parameters of the original that *around* relies on.
        subclasses: Whether every subclass's own implementation is a seam too, those defined later
            included.
        optional: Whether some supported versions of the framework do not have it.
        since: The first version that has it, for people.
        outside: Whether *around* is called outside of runs too, with None as the scope: where the
            framework calls from a context that was made before the run began.
        carries: Whether all it does is to hand the scope on, so that it is called in programs
            whose run has not begun yet.
        getter: Whether the target is a property, of which the reading is caught.

    Example:
        >>> def call(scope, original, self, messages, **rest):
        ...     step = Call("model", self.model, {"messages": messages})
        ...     return scope.step(step, lambda: original(self, messages, **rest))
        >>> Seam("crewai.llms.base_llm:BaseLLM.call", "model", call, "paid calls repeat").module
        'crewai.llms.base_llm'
    """

    target: str
    kind: SeamKind
    around: Around
    loses: str
    params: tuple[str, ...] = ()
    subclasses: bool = False
    optional: bool = False
    since: str = ""
    outside: bool = False
    carries: bool = False
    getter: bool = False

    @property
    def module(self) -> str:
        """The module that has to be imported before the seam is there."""
        return module_of(self.target)

    @property
    def essential(self) -> bool:
        """Whether a run must not go on without it."""
        return self.kind in ESSENTIAL and not self.optional


@lru_cache(maxsize=4096)
def module_of(target: str) -> str:
    """Return the module of a seam's target; each run asks for those of all seams."""
    return target.partition(":")[0]


class Adapter:
    """One framework. Subclass it, fill in the table, and return it from ``register_adapters``.

    An adapter must not import its framework when it is imported or made: seams take hold when the
    framework's own modules are imported, by whoever imports them.

    Attributes:
        name: Also the name of the pip extra.
        distribution: The framework's distribution, whose version is checked.
        requires: The versions it was tested with, as a version specifier (``">=1.12,<2"``).
        seams: The table.
        codecs: How the framework's own values are written, where fields are not enough.
        allow: Module prefixes whose data classes the journal may name.
    """

    name: ClassVar[str]
    distribution: ClassVar[str]
    requires: ClassVar[str] = ""
    seams: ClassVar[Sequence[Seam]] = ()
    codecs: ClassVar[Sequence[TypeCodec[Any]]] = ()
    allow: ClassVar[Sequence[str]] = ()

    def installed(self) -> None:
        """Take note that the seams of a module just took hold; may be called several times."""

    def uninstalled(self) -> None:
        """Undo what :meth:`installed` did; the seams are out again."""

    def claims(self, target: object) -> bool:
        """Say whether *target* is an object of this framework that :func:`durably.wrap` takes.

        The framework may not have been imported; look at the names of the classes' modules.
        """
        del target
        return False

    def entry(self, target: Any) -> Entry:
        """Return how a run of *target* is begun.

        Called only for objects that :meth:`claims` accepted.
        """
        raise TypeError(f"the {self.name} adapter cannot run {type(target).__qualname__} objects")


@dataclass(frozen=True, slots=True)
class Entry:
    """How a wrapped object is run.

    Attributes:
        name: What kind of object it is: ``crewai:Crew``.
        invoke: Runs it in the calling thread with an input; None if it can only be awaited.
        ainvoke: Runs it as a coroutine with an input; None if it can only be called.
        title: Which of its kind it is, the same in every process that builds the same object.
        former: What runs of it were recorded as before entries had titles, if it was recorded then.
    """

    name: str
    invoke: Callable[[Any], Any] | None = None
    ainvoke: Callable[[Any], Any] | None = None
    title: str = ""
    former: str = ""

    def called(self, title: str | None = None) -> Entry:
        """Return the entry under another title; None leaves it as it is.

        Raises:
            ValueError: The title is empty.
        """
        if title == "":
            raise ValueError("name='' names nothing; leave it out, or give a name")
        return self if title is None else replace(self, title=title)

    @property
    def identity(self) -> str:
        """What a run of it is recorded as; it is continued by this and nothing else."""
        return f"{self.name}:{self.title}" if self.title else self.name


@dataclass(frozen=True, slots=True)
class Problem:
    """A seam that the installed framework does not offer as expected.

    Attributes:
        seam: Which one.
        reason: What is missing.
    """

    seam: Seam
    reason: str
