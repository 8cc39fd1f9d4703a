"""The values that users see: commands, interrupts, policies, and what a run or step is told as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

from .limits import ApprovalPolicy as ApprovalPolicy
from .limits import Budget as Budget
from .limits import ParkPolicy as ParkPolicy
from .limits import RatePolicy as RatePolicy

Kind: TypeAlias = Literal["task", "model", "tool", "human", "code", "memory"]
"""What a step is; see ARCHITECTURE, "Words"."""

OnChange: TypeAlias = Literal["auto", "replay", "rerun", "error"]
"""What to do with a step whose request is not the recorded one; see :class:`StepPolicy`."""

OnUnfinished: TypeAlias = Literal["rerun", "ask", "fail"]
"""What to do with an effect that began and has no outcome; see :class:`StepPolicy`."""

Status: TypeAlias = Literal[
    "running", "done", "failed", "waiting", "stopped", "cancelled", "superseded"
]
"""Where a run stands. *stopped*: its process died; *running*: a live process drives it;
*superseded*: it was given up unfinished, since its thread got a new input or was forked."""

Decision: TypeAlias = Literal["approve", "edit", "reject", "respond"]
"""What a person may say to a proposed call."""


StreamWriter: TypeAlias = Callable[[Any], None]
"""Hands its argument to whoever streams the run in mode ``custom``."""


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


_STATUS_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429})
_SERVER_ERRORS = 500

_PROGRAMMING_ERRORS = (
    ArithmeticError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    ReferenceError,
    RuntimeError,
    StopAsyncIteration,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
)


def default_retry_on(error: Exception) -> bool:
    """Say whether *error* is worth another attempt.

    Lost connections and timeouts are; an error that carries an HTTP status is if the status says
    so (408, 409, 425, 429, 5xx), whichever client raised it; programming errors and refusals by
    the operating system are not; any other exception is. This is LangGraph's default with three
    differences: 429 and built-in timeouts are retried, and 4xx answers of ``requests`` are not.
    """
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    status = status_of(error)
    if status is not None:
        return status in _STATUS_WORTH_ANOTHER_TRY or status >= _SERVER_ERRORS
    return not isinstance(error, _PROGRAMMING_ERRORS)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an exception carries, the way HTTP clients put it there."""
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


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

    def delay(self, attempt: int, error: Exception) -> float | None:
        """Return the seconds to wait after a failed attempt, or None if there is to be no other.

        A server that says how long to wait (``Retry-After`` in seconds, RFC 9110 §10.2.3) is
        heeded, up to ``max_interval``.

        Args:
            attempt: How many attempts have failed.
            error: What the last one failed with.
        """
        if attempt >= self.max_attempts or not self.applies(error):
            return None
        seconds = self.initial_interval * self.backoff_factor ** (attempt - 1)
        if self.jitter:
            import random

            seconds += random.random()  # noqa: S311 - spreads callers, keeps no secret
        return min(self.max_interval, max(seconds, retry_after(error)))

    def applies(self, error: Exception) -> bool:
        """Say whether *error* is one of those that this policy retries."""
        if isinstance(self.retry_on, type):
            return isinstance(error, self.retry_on)
        if callable(self.retry_on):
            return self.retry_on(error)
        return isinstance(error, tuple(self.retry_on))


def retry_after(error: BaseException) -> float:
    """Return the seconds that a server asked to wait, or 0 if it did not.

    ``Retry-After`` (RFC 9110 §10.2.3) may be seconds or a date; a date is told from the server's
    own clock, so that a wrong one here does no harm. Errors that wrap others are looked into.
    """
    for one in causes(error):
        headers = getattr(getattr(one, "response", None), "headers", None)
        if headers is not None:
            return _asked_for(headers)
    return 0.0


def _asked_for(headers: Any) -> float:
    try:
        said = headers["retry-after"]
    except (TypeError, KeyError):
        return 0.0
    try:
        return max(0.0, float(said))
    except (TypeError, ValueError):
        pass
    from email.utils import parsedate_to_datetime

    try:
        then, now = (parsedate_to_datetime(text) for text in (said, headers["date"]))
        return max(0.0, (then - now).total_seconds())
    except (TypeError, KeyError, ValueError):
        return 0.0


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and what it was made from, the newest first."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


_OUTAGES = frozenset({"APIConnectionError", "NodeTimeoutError", "TransportError"})
"""Classes of HTTP clients, and our own, that say without a status that no answer came."""


def is_outage(error: BaseException) -> bool:
    """Say whether *error* tells of a provider that is down, too busy, or whose quota is used up.

    Narrower than what is worth another try: only lost connections, timeouts and the statuses 408,
    425, 429 and 5xx count, in the error or in one that it was made from.
    """
    for one in causes(error):
        status = status_of(one)
        if status is not None:
            return status in (408, 425, 429) or status >= _SERVER_ERRORS
        if isinstance(one, ConnectionError | TimeoutError):
            return True
        if any(cls.__name__ in _OUTAGES for cls in type(one).__mro__):
            return True
    return False


def retry_delay(
    policies: RetryPolicy | Sequence[RetryPolicy] | None, attempt: int, error: Exception
) -> float | None:
    """Return what the first policy that applies to *error* says of another attempt."""
    if policies is None:
        return None
    several = [policies] if isinstance(policies, RetryPolicy) else policies
    chosen = next((one for one in several if one.applies(error)), None)
    return chosen.delay(attempt, error) if chosen is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPolicy:
    """What is put around the steps of a program that was not written for it.

    Attributes:
        retry: Attempts of a failing step, by the first of several policies that applies; None
            leaves retrying to the framework.
        timeout: How long one attempt may take; plain functions are held to it as well.
        effect: ``"once"``: should the process die between the effect and its record, ask a person
            instead of doing it again. The default repeats it and says so.
        on_unfinished: What to do with an effect that was under way when the process died, said
            outright: *rerun*, *ask* a person, or let it *fail*.
        cache: Whether and for how long the outcome serves other steps with the same request.
        approve: Whether a person must agree before the step is executed, and in which ways.
        rate: How often such steps may begin, in all processes together.
        concurrency: How many of them may be under way at the same time in this process.
        fallback: Names of models to call, in order, when this one is down or its quota used up.
        on_exhausted: What happens when attempts and fallbacks are used up by an outage: the step
            fails (*fail*, the default), or the run parks and goes on later.
        on_change: What to do when a step's request differs from the recorded one: *replay* the
            recorded outcome, *rerun* the step, raise an *error*, or *auto*: replay if no source
            file of the program changed since the run began, else rerun.
    """

    retry: RetryPolicy | Sequence[RetryPolicy] | None = None
    effect: Literal["once"] | None = None
    timeout: TimeoutPolicy | None = None
    on_change: OnChange | None = None
    on_unfinished: OnUnfinished | None = None
    cache: CachePolicy | None = None
    approve: bool | ApprovalPolicy | None = None
    rate: RatePolicy | None = None
    concurrency: int | None = None
    fallback: Sequence[str] | None = None
    on_exhausted: ParkPolicy | Literal["fail"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutPolicy:
    """How long one attempt of a step or run may take; fields as in LangGraph's ``TimeoutPolicy``.

    Unlike there, it holds for plain functions too: the caller stops waiting at the deadline, and
    what the function still does is not recorded.

    Attributes:
        run_timeout: Seconds (or a ``timedelta``) for one attempt.
        idle_timeout: Seconds that may pass without a sign of life: a stream part, a step that
            begins or ends inside, or ``runtime.heartbeat()``.
        refresh_on: ``"heartbeat"`` takes only ``runtime.heartbeat()`` for a sign of life.
    """

    run_timeout: float | timedelta | None = None
    idle_timeout: float | timedelta | None = None
    refresh_on: Literal["auto", "heartbeat"] = "auto"

    @classmethod
    def coerce(cls, value: float | timedelta | TimeoutPolicy | None) -> TimeoutPolicy | None:
        """Return *value* as a policy in seconds, or None if it sets no limit.

        Raises:
            ValueError: A limit is not positive, or ``refresh_on`` is unknown.
        """
        if value is None:
            return None
        policy = value if isinstance(value, TimeoutPolicy) else cls(run_timeout=value)
        if policy.refresh_on not in ("auto", "heartbeat"):
            raise ValueError(f"refresh_on must be 'auto' or 'heartbeat', not {policy.refresh_on!r}")
        run = _seconds("run_timeout", policy.run_timeout)
        idle = _seconds("idle_timeout", policy.idle_timeout)
        if run is None and idle is None:
            return None
        return cls(run_timeout=run, idle_timeout=idle, refresh_on=policy.refresh_on)


def _seconds(name: str, value: float | timedelta | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise TypeError(f"{name} is a number of seconds or a timedelta, not {value!r}")
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not seconds > 0:  # a NaN would never be reached
        raise ValueError(f"{name} must be greater than 0, not {value!r}")
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """Whether and for how long a result serves other calls; fields as in LangGraph's, and a scope.

    Attributes:
        key_func: Makes the key from the call's arguments; by default all of them, with their
            types, so that ``1`` and ``"1"`` are not one.
        ttl: Seconds the result is kept; None for ever.
        scope: Whose calls it serves: those of every run (*global*), of the *thread*, or of the
            *run*. For a task's own policy it is global.
    """

    key_func: Callable[..., str | bytes] | None = None
    ttl: float | None = None
    scope: Literal["run", "thread", "global"] = "global"


class PregelTask(NamedTuple):
    """One entrypoint of a snapshot that is still to run; name and fields as in LangGraph.

    Attributes:
        id: The run's id.
        name: The entrypoint's name.
        path: Where it lies; informational.
        error: What ended it, if it failed.
        interrupts: What it waits for.
        state: Snapshots of nested runs.
        result: What it returned.
    """

    id: str
    name: str
    path: tuple[str | int, ...] = ()
    error: BaseException | None = None
    interrupts: tuple[Interrupt, ...] = ()
    state: Any = None
    result: Any = None


class StateSnapshot(NamedTuple):
    """A thread at one moment; fields as in LangGraph's ``StateSnapshot``.

    Attributes:
        values: What the last finished run returned.
        next: Names of entrypoints that have not finished.
        config: The config that addresses this snapshot.
        metadata: Where it came from (``source``, ``step``) and the user's own metadata.
        created_at: ISO 8601 time.
        parent_config: The config that addresses the snapshot before it.
        tasks: What has not finished, with errors and questions.
        interrupts: The questions that are open.
    """

    values: Any
    next: tuple[str, ...]
    config: dict[str, Any]
    metadata: dict[str, Any] | None
    created_at: str | None
    parent_config: dict[str, Any] | None
    tasks: tuple[PregelTask, ...]
    interrupts: tuple[Interrupt, ...]


@dataclass(frozen=True, slots=True)
class GraphOutput:
    """What ``invoke(…, version="v2")`` returns.

    Attributes:
        value: What the entrypoint returned; None while it waits.
        interrupts: The questions that it waits for.
    """

    value: Any = None
    interrupts: tuple[Interrupt, ...] = ()


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
    """Tokens (``input_tokens``, ``output_tokens``), ``cost`` in USD where a plug-in knows it."""
    cached: bool = False
    """Whether the outcome was served from a cache; nothing was paid for it."""


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
        wake: When it is to go on by itself, in seconds since the epoch, if it is parked.
        meta: Command line, working directory and the like.
        successor: The run that took its place, if it is superseded.
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
    wake: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    successor: str = ""
