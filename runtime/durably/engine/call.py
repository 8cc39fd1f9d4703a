"""What a step is asked to be: the description that a seam or a task hands to the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..types import Kind, StepPolicy


class Review(Protocol):
    """What a person may make of a proposed call, in the words of its framework."""

    args: Mapping[str, Any]
    """The arguments by name."""

    call_id: str
    """The model's id of the call; empty if it has none."""

    def args_schema(self) -> Mapping[str, Any] | None:
        """Return the JSON schema of the arguments, if it is known."""

    def edited(self, args: Mapping[str, Any], notice: str) -> Callable[[], Any]:
        """Return what executes the call with other arguments.

        Args:
            args: All of them.
            notice: What the model is to be told in front of the result.

        Returns:
            A function of the kind that the call is executed by: for a coroutine one that returns
            a coroutine, for a stream one that returns an iterator.
        """
        ...

    def rejected(self, message: str) -> Any:
        """Return what the model is told instead of a result.

        Raises:
            NotImplementedError: No model asked; the program is told by :class:`CallRejected`.
        """

    def responded(self, answer: Any) -> Any:
        """Return the result that a person's own answer stands for."""


class Call:
    """One step, described before it is known whether it has to be executed.

    Attributes:
        kind: ``model``, ``tool``, ``task``, ``code``, ``memory`` or ``human``.
        name: The model's, tool's or function's name.
        request: Everything that changes the answer, and nothing that changes from process to
            process; data, or objects whose fields are data.
        label: What people are shown: ``send_mail(to="ada")``; the name if empty.
        dump: Makes the value that is written from the value that was returned.
        load: Makes the value that is returned from the one that was written; may restore state
            on the side (token totals).
        hint: A class given by the caller at hand, to rebuild values of classes that have no
            importable name.
        effect: Whether the outside world may change, so that the journal must say that the step
            began before it does.
        pure: Whether it surely changes nothing outside, though its kind may: a changed request is
            executed again, and nobody is asked.
        policy: What the program itself put around this step; the host's policies come on top.
        respond: Makes the value that a person's own answer stands for, in the step's place.
        usage: Reads tokens and the like from the returned value, for people and budgets.
        adapter: The adapter's name, for policies that are meant for one framework only.
        review: What a person may make of the call before it is executed; without it they may let
            it happen, give its result, or have it fail.
        with_model: Given another model's name, returns what executes the same call with it; of
            the kind that this call is executed by, so a coroutine function for a coroutine.
    """

    __slots__ = (
        "adapter",
        "dump",
        "effect",
        "hint",
        "kind",
        "label",
        "load",
        "name",
        "policy",
        "pure",
        "request",
        "respond",
        "review",
        "usage",
        "with_model",
    )

    def __init__(
        self,
        kind: Kind,
        name: str,
        request: object,
        *,
        label: str = "",
        dump: Callable[[Any], Any] | None = None,
        load: Callable[[Any], Any] | None = None,
        hint: type | None = None,
        effect: bool = False,
        pure: bool = False,
        policy: StepPolicy | None = None,
        respond: Callable[[Any], Any] | None = None,
        usage: Callable[[Any], Mapping[str, Any] | None] | None = None,
        adapter: str = "",
        review: Review | None = None,
        with_model: Callable[[str], Callable[[], Any]] | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.name = name
        self.request: Any = request
        self.label = label
        self.dump = dump
        self.load = load
        self.hint = hint
        self.effect = effect
        self.pure = pure
        self.policy = policy
        self.respond = respond
        self.usage = usage
        self.adapter = adapter
        self.review = review
        self.with_model = with_model

    def responded(self, answer: Any) -> Any:
        """Return the value that a person's own answer stands for, in the step's place."""
        if self.review is not None:
            return self.review.responded(answer)
        return self.respond(answer) if self.respond is not None else answer
