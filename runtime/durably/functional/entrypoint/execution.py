"""How an entrypoint's function is executed: opened, framed, retried, timed, remembered."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import partial
from typing import Any, NamedTuple

from ...caching import StepCache
from ...engine import (
    Deadline,
    Lane,
    Outcome,
    Run,
    Scope,
    acall_within,
    adrive,
    call_within,
    drive,
    drive_in_thread,
    inside,
)
from ...errors import GraphDrained
from ...hosting import Host, module_of, open_run, place_of, thread_of
from ...journal import NO_BLOBS
from ...journal.records import Saved, StepAttempted
from ...types import CachePolicy, Command, RetryPolicy, TimeoutPolicy, retry_delay
from ..frame import Frame, running_loop
from ..injection import injected
from ..langchain.callbacks import traced
from ..state.history import done_value, saved_before
from ..streams.parts import Teller
from ..tasks.cancellations import aguarded, guarded
from .opened_run import Opened
from .parted_result import PartedResult
from .pauses import NO_PAUSES, Pauses
from .resources import Resources


@dataclass(frozen=True, slots=True)
class Setup:
    """What :class:`durably.entrypoint` was given."""

    checkpointer: Any
    resources: Resources
    context_schema: type[Any] | None
    caching: CachePolicy | None
    retry: RetryPolicy | Sequence[RetryPolicy] | None
    timeout: TimeoutPolicy | None


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of an entrypoint that is not inside another run."""

    host: Host
    given: Any
    config: Mapping[str, Any] | None = None
    context: Any = None
    durability: str | None = None
    control: Any = None
    teller: Teller | None = None
    pauses: Pauses = NO_PAUSES


class Body:
    """An entrypoint's function and its surroundings.

    Attributes:
        entry: What its runs are called in the journal.
        name: What it is called in streams and states.
        setup: What it was given.
        is_async: Whether it is a coroutine function.
    """

    def __init__(self, func: Callable[..., Any], setup: Setup) -> None:
        self._func = func
        self.setup = setup
        self.names = injected(func, skip_first=True)
        self.name = func.__name__
        self.entry = f"{module_of(func)}:{func.__qualname__}"
        self.is_async = inspect.iscoroutinefunction(func)

    @property
    def keeps(self) -> bool:
        """Whether runs are kept."""
        return self.setup.checkpointer not in (None, False)

    def parted(self, returned: Any) -> tuple[Any, Any]:
        """Return what the caller gets and what the thread remembers."""
        if isinstance(returned, PartedResult):
            return returned.value, returned.save
        return returned, returned

    def run(self, invocation: Invocation) -> Outcome:
        """Drive a run in this thread."""
        if self.is_async:
            raise TypeError(f"entrypoint {self.name!r} is a coroutine function: use ainvoke")
        found = self._found(invocation)
        if isinstance(found, Outcome):
            return found
        opened = self._opened(invocation, found)
        try:
            outcome = drive(opened.run, lambda: self._execute(opened))
            return opened.ended(outcome)
        finally:
            self._close(opened.host, opened.run)

    async def arun(self, invocation: Invocation) -> Outcome:
        """Drive a run in the running event loop; a plain function runs in a thread."""
        journal = invocation.host.journal
        found = await journal.apart(lambda: self._found(invocation), self._leave)
        if isinstance(found, Outcome):
            return found
        opened = self._opened(invocation, found)
        if invocation.teller is not None:
            opened.run.hold = invocation.teller.hold
        opened.frame.around = running_loop()
        try:
            if self.is_async:
                outcome = await adrive(opened.run, lambda: self._aexecute(opened))
            else:
                outcome = await drive_in_thread(opened.run, lambda: self._execute(opened))
            return opened.ended(outcome)
        finally:
            await journal.apart(lambda: self._close(opened.host, opened.run), _nothing)

    def _already_done(self, invocation: Invocation) -> Outcome | None:
        """Return the end of a finished run that there is nothing more to do for."""
        thread = thread_of(invocation.config)
        addressed = place_of(invocation.config).get("checkpoint_id")
        if invocation.given is not None or thread is None or addressed:
            return None
        found = done_value(invocation.host, thread, self.entry)
        return Outcome("done", found[0]) if found is not None else None

    def _found(self, invocation: Invocation) -> Outcome | Found:
        """Return what the journal holds for an invocation: its end, or the run to be driven."""
        done = self._already_done(invocation)
        if done is not None:
            return done
        host, teller = invocation.host, invocation.teller
        if not self.keeps:
            self._check_unkept(invocation)
        run = open_run(
            host,
            self.entry,
            invocation.given,
            invocation.config,
            teller.take if teller is not None else None,
            same_input_continues=False,
            durability=invocation.durability,
            call=f"await {self.name}.ainvoke" if self.is_async else f"{self.name}.invoke",
        )
        try:
            _check_drain(invocation)
            if self._pauses_before(invocation):
                host.release(run)
                return Outcome("done")
            value = host.given_to(run) if run.info.resumed else invocation.given
            return Found(run, value, saved_before(run), host)
        except BaseException:
            host.release(run)
            raise

    def _check_unkept(self, invocation: Invocation) -> None:
        """Refuse what leaves a run to be continued, where none is kept."""
        _check_drain(invocation)
        if invocation.pauses.before:
            raise RuntimeError(
                f"entrypoint {self.name!r} has no checkpointer, so a run that interrupt_before "
                "pauses could not be continued; give it one"
            )

    def _pauses_before(self, invocation: Invocation) -> bool:
        """Say whether the run, which has begun, is not executed now; its stream is told."""
        given = invocation.given
        is_new = given is not None and not isinstance(given, Command)
        if not (is_new and invocation.pauses.before):
            return False
        if invocation.teller is not None:
            invocation.teller.paused()
        return True

    def _leave(self, found: Outcome | Found) -> None:
        if isinstance(found, Found):
            found.host.release(found.run)

    def _opened(self, invocation: Invocation, found: Found) -> Opened:
        host, teller, run = found.host, invocation.teller, found.run
        try:
            frame = Frame(
                self.name,
                config=_full(invocation.config, run),
                context=self.context(invocation.context),
                store=self.setup.resources.store,
                cache=self.cache(run),
                previous=found.previous,
                control=invocation.control,
                retry=self.setup.retry,
                caching=self.setup.caching,
                tellers=(teller,) if teller is not None else (),
            )
            is_answered = isinstance(invocation.given, Command)
            pauses = invocation.pauses
            opened = Opened(run, frame, found.value, teller, host, pauses, is_answered)
            opened.began()
        except BaseException:
            host.release(run)
            raise
        return opened

    def _close(self, host: Host, run: Run) -> None:
        host.release(run)
        if not self.keeps and run.log is not None:
            host.journal.storage.delete(run.log.thread, host.clock.now())

    def cache(self, run: Run) -> StepCache | None:
        """Return the entrypoint's cache as its steps use it, or None if it has none."""
        given = self.setup.resources.cache
        return StepCache(given, run.codec, run.clock) if given is not None else None

    def context(self, given: Any) -> Any:
        """Return the context, made into the schema's class if it is a mapping."""
        schema = self.setup.context_schema
        if schema is None or given is None or not isinstance(given, Mapping):
            return given
        if is_dataclass(schema) or hasattr(schema, "model_fields"):
            return schema(**given)
        return given

    def _execute(self, opened: Opened) -> Any:
        run, frame = opened.run, opened.frame
        around = Scope(run, run.root)
        returned = self.attempts(around, frame, opened.value, frame.config)
        value, saved, blobs = self._remembered(run, returned)
        if saved is not None:
            run.append(saved, blobs=blobs)
        return value

    async def _aexecute(self, opened: Opened) -> Any:
        run, frame = opened.run, opened.frame
        around = Scope(run, run.root)
        returned = await self.aattempts(around, frame, opened.value, frame.config)
        value, saved, blobs = self._remembered(run, returned)
        if saved is not None:
            await run.aappend(saved, blobs=blobs, is_alone=run.is_alone)
        return value

    def attempts(self, around: Scope, frame: Frame, value: Any, config: Any) -> Any:
        """Return what the function returns, tried again as often as its policy says.

        Args:
            around: Where it is called.
            frame: What it may ask for.
            value: Its input.
            config: Whose callbacks hear of it.
        """
        run = around.run
        frame.outside = running_loop()
        before = self._attempts_before(around)
        with traced(config, self.name, value) as trace:
            while True:
                scope = self._attempt_scope(around, frame)
                try:
                    limits = scope.lane.deadline
                    with scope.entered(), trace.entered(), frame.begun.ended(limits):
                        returned = self._timed(scope, value)
                except Exception as error:
                    delay = self._again_in(scope, error, before)
                    if delay is None:
                        trace.fail(error)
                        raise
                else:
                    trace.end(self.parted(returned)[0])
                    return returned
                run.clock.sleep(delay)

    async def aattempts(self, around: Scope, frame: Frame, value: Any, config: Any) -> Any:
        """Like :meth:`attempts`, for coroutines."""
        run = around.run
        before = self._attempts_before(around)
        with traced(config, self.name, value) as trace:
            while True:
                scope = self._attempt_scope(around, frame)
                try:
                    with scope.entered(), trace.entered():
                        async with frame.begun.ended_async(scope.lane.deadline):
                            returned = await self._atimed(scope, value)
                except Exception as error:
                    delay = self._again_in(scope, error, before)
                    if delay is None:
                        trace.fail(error)
                        raise
                else:
                    trace.end(self.parted(returned)[0])
                    return returned
                await run.clock.asleep(delay)

    def _attempt_scope(self, around: Scope, frame: Frame) -> Scope:
        """Return the scope of one attempt: its lane is entered anew, what was finished replays."""
        run, lane, limits = around.run, around.lane, self.setup.timeout
        deadline = (
            Deadline(self.name, limits, run.clock, lane.deadline) if limits else lane.deadline
        )
        scope = Scope(run, Lane(lane.path, None, deadline, lane.agent), None, around.region, frame)
        scope.attempt = run.past.attempts.get(self._attempts_key(scope), 0) + 1
        return scope

    def _attempts_key(self, scope: Scope) -> tuple[str, str, str, bytes, int]:
        return (scope.lane.path, "run", self.name, b"", 0)

    def _timed(self, scope: Scope, value: Any) -> Any:
        def call() -> Any:
            return self._call(scope, value)

        if self.setup.timeout is None or scope.lane.deadline is None:
            return call()
        return call_within(scope.lane.deadline, call)

    async def _atimed(self, scope: Scope, value: Any) -> Any:
        def call() -> Awaitable[Any]:
            awaitable: Awaitable[Any] = self._call(scope, value)
            return awaitable

        if self.setup.timeout is None or scope.lane.deadline is None:
            return await call()
        return await acall_within(scope.lane.deadline, call)

    def _call(self, scope: Scope, value: Any) -> Any:
        frame = scope.local
        assert isinstance(frame, Frame)
        function = partial(self._func, value, **frame.fill(self.names, scope, {}))
        return (aguarded if self.is_async else guarded)(self.name, function, (), {})()

    def _attempts_before(self, around: Scope) -> int:
        """Return how many attempts failed before a question, behind which they are counted anew."""
        past, lane = around.run.past, around.lane.path
        failed = past.attempts.get((lane, "run", self.name, b"", 0), 0)
        has_asked = failed and any(inside(one.lane, lane) for one in past.asked.values())
        return failed if has_asked else 0

    def _again_in(self, scope: Scope, error: Exception, before: int) -> float | None:
        """Return the seconds until the entrypoint is tried again, or None if the error is final."""
        run, key = scope.run, self._attempts_key(scope)
        attempts = run.past.attempts.get(key, 0) + 1
        delay = retry_delay(self.setup.retry, attempts - before, error)
        if delay is None:
            return None
        now = run.clock.now()
        said = f"{type(error).__name__}: {error}"
        lane, kind, name, print_, nth = key
        run.append(StepAttempted(lane, kind, name, print_, nth, attempts, now, now + delay, said))
        if run.log is None:
            run.past.attempts[key] = attempts
        run.past.enter_again(scope.lane.path, run.failed_in(error))
        return delay

    def _remembered(
        self, run: Run, returned: Any
    ) -> tuple[Any, Saved | None, Mapping[bytes, bytes]]:
        """Return what the caller gets, and the record of what the thread is to remember."""
        value, save = self.parted(returned)
        Scope(run, run.root).leave()
        if not self.keeps or run.stopping:
            return value, None, NO_BLOBS
        body, blobs = run.codec.split(save)
        return value, Saved(run.clock.now(), body), blobs


class Found(NamedTuple):
    """A run that is about to be driven, as the journal tells of it."""

    run: Run
    value: Any
    previous: Any
    host: Host


def _nothing(_: object) -> None:
    """Undo nothing."""


def _check_drain(invocation: Invocation) -> None:
    """Refuse to execute a run that was asked to stop before it is executed.

    Raises:
        GraphDrained: It was. A run that is kept has begun, and is continued with ``None``.
    """
    control = invocation.control
    if control is not None and control.drain_requested:
        raise GraphDrained(control.drain_reason)


def _full(config: Mapping[str, Any] | None, run: Run) -> dict[str, Any]:
    """Return the config that the function sees: the caller's, with the thread's name."""
    full = dict(config or {})
    full["configurable"] = {"thread_id": run.info.thread, **place_of(config)}
    full.setdefault("metadata", {})
    full.setdefault("tags", [])
    return full
