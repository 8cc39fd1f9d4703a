"""The errors that durably raises, in one tree.

DurablyError
├── JournalError              the record of runs cannot be read or written
│   ├── StorageError          the storage failed: disk full, read-only, locked, gone
│   ├── JournalCorrupt        what is stored is not what was written
│   ├── JournalTooNew         written by a later version of durably
│   ├── LeaseLost             another process took this thread over; this one must stop
│   └── ThreadBusy            another process is driving this thread right now
├── CodecError
│   ├── EncodeError           a value cannot be written to the journal
│   └── DecodeError           stored bytes do not make a value
├── ProgramChanged            a step differs from the journal and the policy says to stop
├── CallRejected              a person did not let a call happen
├── OutcomeUnknown            an effect began, and its outcome was never recorded
├── ResumeError               an answer, or what is to continue a run, does not fit
│   └── AnswerRefused         this answer is unclear, wrong, late, or not the first
├── UnknownRun                no such run or thread
├── InvalidNamespaceError     a store's namespace is no tuple of usable labels
├── EmbeddingError            a store's index cannot embed its texts
├── PluginError               a plug-in is broken, or none knows a URL
├── AdapterMismatch           the installed framework does not offer a seam that we need
├── ConfigError               a file or option that sets policies says what cannot be
├── BudgetExceeded            a person decided that a run may spend no more
├── RunParked                 a run waits for a provider that is down; it can go on later
├── GraphDrained              a run was asked to stop before it began
├── NodeCancelledError        code raised a CancelledError that nobody had asked for
├── NodeTimeoutError          a step or run took longer than its timeout allows
├── LaunchError               a script cannot be started
└── StepFailed                a recorded failure whose own class cannot be rebuilt

Suspended (BaseException)     control flow: the run is being unwound; never caught by programs

Every error says what happened, to which thread or step, and what to do next.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

RefusalReason: TypeAlias = Literal[
    "unclear", "invalid", "answered", "stale", "expired", "over", "superseded", "unknown"
]
"""Why an answer was not taken; see :class:`AnswerRefused`."""


class DurablyError(Exception):
    """The root of every error that durably raises."""


class JournalError(DurablyError):
    """The record of runs cannot be read or written."""


class StorageError(JournalError):
    """The storage under the journal failed; the run stopped before its next step."""


class JournalCorrupt(JournalError):  # noqa: N818 - a state, told as one
    """What is stored is not what was written; nothing was replayed from it."""


class JournalTooNew(JournalError):  # noqa: N818
    """The journal was written by a later version of durably, which must read it."""


class LeaseLost(JournalError):  # noqa: N818
    """Another process took the thread over; what this one tried to append was refused."""


class ThreadBusy(JournalError):  # noqa: N818
    """Another process is driving this thread right now.

    Attributes:
        thread: The thread's id.
        owner: Who drives it, as ``host:pid``.
    """

    def __init__(self, thread: str, owner: str, hint: str = "") -> None:
        super().__init__(thread, owner, hint)
        self.thread = thread
        self.owner = owner
        self.hint = hint

    def __str__(self) -> str:
        hint = self.hint or "Wait until it has ended, or use another thread id."
        return f"thread {self.thread!r} is being driven by {self.owner}. {hint}"


class CodecError(DurablyError):
    """A value and its bytes do not go together."""


class EncodeError(CodecError):
    """A value cannot be written to the journal."""


class DecodeError(CodecError):
    """Stored bytes do not make a value; no code named by them was run."""


class ProgramChanged(DurablyError):  # noqa: N818
    """A step's request differs from the journal's, and ``on_change`` says to stop."""


class CallRejected(DurablyError):  # noqa: N818
    """A person did not let a call happen, and no model is there to be told.

    Attributes:
        name: What would have been called.
        message: What they said, if they said anything.
    """

    def __init__(self, name: str, message: str | None = None) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message

    def __str__(self) -> str:
        said = f": {self.message}" if self.message else ""
        return f"a person rejected the call of {self.name}; it was not executed{said}"


class OutcomeUnknown(DurablyError):  # noqa: N818
    """An effect began in an earlier process and its outcome was never recorded."""


class ResumeError(DurablyError):
    """A run or a thread cannot be continued like this: an answer or an object does not fit."""


class AnswerRefused(ResumeError):  # noqa: N818
    """An answer was not taken; nothing was recorded.

    Attributes:
        reason: ``unclear`` (no decision in it), ``invalid`` (not allowed, or it does not fit the
            schema), ``answered`` (somebody was first), ``stale`` (the question has changed since
            the version it names), ``expired``, ``over`` (the run has ended), ``superseded`` (the
            run was given up: its thread got a new input, or was forked) or ``unknown``.
        by: Who answered first, if somebody did.
        at: When, in seconds since the epoch.
        successor: The run that took the place of the one that asked, if that is superseded.
    """

    def __init__(
        self,
        message: str,
        reason: RefusalReason,
        *,
        by: str = "",
        at: float | None = None,
        successor: str = "",
    ) -> None:
        super().__init__(message)
        self.reason: RefusalReason = reason
        self.by = by
        self.at = at
        self.successor = successor


class UnknownRun(DurablyError):  # noqa: N818
    """The journal holds no such run or thread."""


class InvalidNamespaceError(DurablyError, ValueError):
    """A namespace is not a tuple of usable labels; name and rules as in LangGraph."""


class EmbeddingError(DurablyError, ValueError):
    """The index's ``embed`` cannot be used, or what it returned are no vectors for the texts."""


class PluginError(DurablyError):
    """A plug-in is broken, or no plug-in knows a URL."""


class AdapterMismatch(DurablyError):  # noqa: N818
    """The installed framework does not offer a seam without which steps would be lost."""


class ConfigError(DurablyError):
    """A file or option that sets policies or budgets says something that cannot be.

    Attributes:
        file: The file, or the option.
        line: The line in it, from 1; 0 if there is none.
    """

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(file, line, message)
        self.file = file
        self.line = line
        self.message = message

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.message}"


class BudgetExceeded(DurablyError):  # noqa: N818
    """A run has come to the limit of its budget, and may spend no more."""


class RunParked(DurablyError):  # noqa: N818 - a state, told as one
    """A run waits for a provider that is down or whose quota is used up; nothing is lost.

    Attributes:
        run: The run's id.
        thread: Its thread.
        wake: When it is to go on, in seconds since the epoch.
        why: The error that it was parked for, in words.
    """

    def __init__(self, run: str, thread: str, wake: float, why: str) -> None:
        super().__init__(run, thread, wake, why)
        self.run = run
        self.thread = thread
        self.wake = wake
        self.why = why

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.wake).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        return (
            f"run {self.run} on thread {self.thread!r} is parked until {until} ({self.why}). "
            "Continue it from then on: `durably resume --due`, or invoke(None) with its thread."
        )


class GraphDrained(DurablyError):  # noqa: N818 - LangGraph's name
    """A run was asked to stop before it began; nothing was recorded, it can be started later.

    Attributes:
        reason: Why, as given to ``RunControl.request_drain``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NodeTimeoutError(DurablyError):
    """A step or run took longer than its timeout allows; name and fields as in LangGraph.

    It is no built-in ``TimeoutError``; the default retry policy retries it all the same.

    Attributes:
        node: The task's or entrypoint's name.
        kind: ``run`` or ``idle``: which limit was exceeded.
        timeout: That limit, in seconds.
        elapsed: Seconds since the attempt began.
        run_timeout: The limit for the whole attempt, if there is one.
        idle_timeout: The limit without a sign of life, if there is one.
    """

    def __init__(
        self,
        node: str,
        elapsed: float,
        *,
        kind: Literal["run", "idle"],
        run_timeout: float | None = None,
        idle_timeout: float | None = None,
    ) -> None:
        limit = run_timeout if kind == "run" else idle_timeout
        what = "its run timeout" if kind == "run" else "its idle timeout without a sign of life,"
        super().__init__(f"{node!r} exceeded {what} of {limit:.3f}s (elapsed: {elapsed:.3f}s)")
        self.node = node
        self.elapsed = elapsed
        self.kind = kind
        self.timeout = limit
        self.run_timeout = run_timeout
        self.idle_timeout = idle_timeout


class NodeCancelledError(DurablyError):
    """The code of a task or entrypoint raised a CancelledError itself; the name is LangGraph's.

    Nobody had cancelled it, so it failed. What it raised is the ``__cause__``.

    Attributes:
        node: The task's or entrypoint's name.
    """

    def __init__(self, node: str) -> None:
        super().__init__(f"Node {node!r} raised asyncio.CancelledError")
        self.node = node


class LaunchError(DurablyError):
    """A script cannot be started."""


class StepFailed(DurablyError):  # noqa: N818
    """A recorded failure whose own class cannot be rebuilt.

    Attributes:
        type_name: The original class, as ``module:qualname``.
        message: What its ``str()`` said.
    """

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(type_name, message)
        self.type_name = type_name
        self.message = message

    def __str__(self) -> str:
        return f"{self.type_name.rpartition(':')[2]}: {self.message}"


class Suspended(BaseException):
    """Control flow: the run waits for an answer or must stop, and is being unwound.

    It derives from ``BaseException`` because frameworks are full of ``except Exception``. A
    program may have ``finally`` blocks run by it but should not catch it; a caught one comes back
    at the next step.
    """
