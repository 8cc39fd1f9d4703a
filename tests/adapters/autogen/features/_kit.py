"""What a feature program is, and what it may use: models, effects, a person, a place on disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from durably.testing import Reply, Request, Rule

from ..programs import client_of

Script = Sequence[Rule] | Callable[[Request], Reply]

FEATURES: dict[str, Feature] = {}
"""Every feature, by name."""


@dataclass(frozen=True)
class Feature:
    """One small program as a user writes it, and what is to be seen of it.

    Attributes:
        program: Given a kit, it does its work and returns what it saw.
        script: What the model answers.
        steps: How many steps of each kind one run has, such as ``"model 2, tool 1"``.
        answers: What people answer, by a part of the question.
        plain: Whether the program can be run without durably; one that asks through it cannot.
        at_once: Whether steps run side by side: a kill may find one unrecorded, or two recorded.
        kills: Whether it is killed after each step; not where every process starts a server.
        since: The first version of AutoGen that has the feature.
    """

    program: Callable[[Kit], Awaitable[Any]]
    script: Script
    steps: str
    answers: Mapping[str, Any]
    plain: bool = True
    at_once: bool = False
    kills: bool = True
    since: str = "0.6"

    @property
    def name(self) -> str:
        """What the feature is called."""
        return self.program.__name__


Program = Callable[["Kit"], Awaitable[Any]]


def feature(
    script: Script = (), *, steps: str, answers: Mapping[str, Any] | None = None, **more: Any
) -> Callable[[Program], Program]:
    """Register a program as a feature; see `Feature` for what may be said of it."""

    def register(program: Program) -> Program:
        assert program.__name__ not in FEATURES, program.__name__
        made = Feature(program, script, steps, dict(answers or {}), **more)
        FEATURES[made.name] = made
        return program

    return register


class Kit:
    """What the harness lends a program."""

    def __init__(self, url: str, directory: Path, answers: Mapping[str, Any]) -> None:
        self.url = url
        self.directory = directory
        self._answers = answers

    @property
    def host(self) -> str:
        """The scripted model's address without a path."""
        return self.url.removesuffix("/v1")

    def client(self, **more: Any) -> Any:
        """Return an OpenAI client of the scripted model."""
        return client_of(self.url, **more)

    def effect(self, text: str) -> None:
        """Do something to the outside world that is seen when it is done twice."""
        with (self.directory / "effects").open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Write down where the code came along; unlike effects, this may happen again."""
        with (self.directory / "notes").open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def person(self, prompt: str) -> str:
        """Answer as the person at the terminal would; only a plain program comes here."""
        self.note("terminal")
        return answer_to(prompt, self._answers)

    async def async_person(self, prompt: str, cancellation_token: object) -> str:
        """Answer like :meth:`person`, as an asynchronous input function."""
        del cancellation_token
        return self.person(prompt)


def answer_to(question: str, answers: Mapping[str, Any]) -> Any:
    """Return the answer to a question.

    Raises:
        AssertionError: Nobody expected it.
    """
    for part, answer in answers.items():
        if part in question:
            return answer
    raise AssertionError(f"nobody expected the question {question!r}")
