"""The values that users see: commands, interrupts, policies, and what a run or step is told as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["task", "model", "tool", "human", "code", "memory"]
"""What a step is; see ARCHITECTURE, "Words"."""

OnChange: TypeAlias = Literal["auto", "replay", "rerun", "error"]
"""What to do with a step whose request is not the recorded one; see :class:`StepPolicy`."""

Status: TypeAlias = Literal["running", "done", "failed", "waiting", "stopped", "cancelled"]
"""Where a run stands. *stopped*: its process died; *running*: a live process drives it."""

Decision: TypeAlias = Literal["approve", "edit", "reject", "respond"]
"""What a person may say to a proposed call."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """A question that a run waits for.

    Attributes:
        value: What was asked: any value given to :func:`durably.interrupt`, or the mapping made
            from a framework's own question (``kind``, ``message``, ``name``, ``args`` …).
        id: Stable across processes; give it to ``Command(resume={id: answer})``.
        response_schema: What an answer must look like, if the asker said so.
    """

    value: Any
    id: str
    response_schema: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to do with a waiting run; the name and fields follow LangGraph's ``Command``.

    Attributes:
        resume: The answer to the one open question, or a mapping of interrupt ids to answers.

    Example:
        >>> flow.invoke(Command(resume="ship it"), config)  # doctest: +SKIP
    """

    resume: Any = None


def default_retry_on(error: Exception) -> bool:
    """Say whether *error* is worth another attempt: lost connections, timeouts, 429 and 5xx.

    Recognises the status code that HTTP clients put on their exceptions (``status_code``, or
    ``response.status_code``), so that none of them has to be imported.
    """
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status in (408, 409, 425, 429) or status >= 500  # noqa: PLR2004 - HTTP's own numbers
    name = type(error).__name__
    return "Connection" in name or "Timeout" in name


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When and how often a failed step is tried again; fields as in LangGraph's ``RetryPolicy``.

    Attributes:
        initial_interval: Seconds before the second attempt.
        backoff_factor: What the interval is multiplied by after each attempt.
        max_interval: Seconds it never exceeds.
        max_attempts: How many attempts there are, the first included.
        jitter: Whether up to a second is added at random, so that callers do not retry in step.
        retry_on: Exception classes, or a function that is given the exception.
    """

    initial_interval: float = 0.5
    backoff_factor: float = 2.0
    max_interval: float = 128.0
    max_attempts: int = 3
    jitter: bool = True
    retry_on: type[Exception] | Sequence[type[Exception]] | Callable[[Exception], bool] = (
        default_retry_on
    )

    def applies(self, error: Exception) -> bool:
        """Say whether *error* is one of those that this policy retries."""
        if isinstance(self.retry_on, type):
            return isinstance(error, self.retry_on)
        if callable(self.retry_on):
            return self.retry_on(error)
        return isinstance(error, tuple(self.retry_on))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPolicy:
    """What is put around the steps of a program that was not written for it.

    Attributes:
        retry: Attempts of a failing step; None leaves retrying to the framework.
        effect: ``"once"``: should the process die between the effect and its record, ask a person
            instead of doing it again. The default repeats it and says so.
        on_change: What to do when a step's request differs from the recorded one: *replay* the
            recorded outcome, *rerun* the step, raise an *error*, or *auto*: replay if no source
            file of the program changed since the run began, else rerun.
    """

    retry: RetryPolicy | None = None
    effect: Literal["once"] | None = None
    on_change: OnChange | None = None


class StepInfo(NamedTuple):
    """One step, as listeners and streams see it."""

    run: str
    thread: str
    lane: str
    kind: str
    name: str
    label: str
    attempt: int = 1
    elapsed: float = 0.0
    usage: Mapping[str, Any] | None = None


class RunInfo(NamedTuple):
    """One run, as listeners see it."""

    run: str
    thread: str
    entry: str
    resumed: bool
    recorded: int = 0
    """Finished steps that the journal held when this process took the run up."""


@dataclass(slots=True)
class RunView:
    """One run as the journal tells it; what ``durably runs`` shows.

    Attributes:
        run: The run's id.
        thread: Its thread.
        entry: What was started.
        status: Where it stands.
        started: Seconds since the epoch.
        ended: Seconds since the epoch, or None while it is not over.
        error: What ended it, in words.
        open: Ids of the questions it waits for.
        meta: Command line, working directory and the like.
    """

    run: str
    thread: str
    entry: str
    started: float
    request: bytes = b""
    status: Status = "stopped"
    ended: float | None = None
    error: str = ""
    open: list[str] = field(default_factory=list[str])
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
