"""``durably.wrap``: a framework's own object, unchanged, with durable runs around it."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import Any, Literal

from ..adapting import Adapter, Entry
from ..caching import Cache
from ..engine import Call, Outcome, Run, Sink, adrive, drive, drive_in_thread
from ..journal import Storage
from ..listeners import Listener
from ..process_fork import leave_to_parent, tell_of_forks
from ..types import Budget, Interrupt, OnChange, RunView, StepPolicy
from .host import DEFAULT_URL, Host
from .invoke_result import delivered
from .nested_use import NestedUse, scope_around
from .run_views import fold
from .streams.stream import astream, stream
from .thread_runs import named_thread, open_run, thread_of


def wrap(
    target: object,
    *,
    name: str | None = None,
    checkpointer: str | Storage | Host = DEFAULT_URL,
    policies: Mapping[Any, StepPolicy] | None = None,
    approve: Iterable[str] = (),
    budgets: Sequence[Budget] = (),
    cache: str | Cache | None = None,
    config: str | Path | Literal[False] | None = None,
    on_change: OnChange = "auto",
    stream_resumable: bool = False,
    catch_input: bool = False,
    listeners: Iterable[Listener] = (),
    plugins: Iterable[object] = (),
) -> Durable:
    """Return *target* with durable runs around it; the object itself is not touched.

    Model calls, tool calls, agents' turns and questions in a run are journaled. Runs may overlap.

    Args:
        target: A CrewAI crew, an AutoGen agent or team, or what another adapter claims.
        name: Only an object of this kind and name continues a run; by default made of its own.
        checkpointer: The journal: a URL (``sqlite:///runs.db``), a storage, or a host to share.
        policies: Step policies by pattern (a step's name, ``kind:name``, or a glob of either) or by
            :class:`durably.Match`. Of those that fit a step the last wins, field by field.
        budgets: What each run, or each thread, may spend on models before a person is asked.
        cache: Where cached answers and rates are kept; by default where the journal is.
        config: A file with policies that go over these; by default the nearest. False: none.
        approve: Calls that a person must agree to: a tool's name, a glob of names, or a kind.
        on_change: What to do with steps whose request changed; see :class:`StepPolicy`.
        stream_resumable: Whether tokens are recorded for who joins a run's stream from elsewhere.
        catch_input: Whether what the program reads from the terminal itself is a step.
        listeners: Who watches.
        plugins: Objects with hook implementations, for this wrap only.

    Raises:
        TypeError: No adapter claims the object.

    Example:
        >>> crew = durably.wrap(my_crew, checkpointer="sqlite:///runs.db")  # doctest: +SKIP
        >>> crew.invoke({"topic": "tea"}, {"configurable": {"thread_id": "t1"}})  # doctest: +SKIP
    """
    host = checkpointer
    if not isinstance(host, Host):
        host = Host(
            host,
            plugins=plugins,
            listeners=listeners,
            policies=policies,
            approve=approve,
            budgets=budgets,
            cache=cache,
            config=config,
            on_change=on_change,
            stream_resumable=stream_resumable,
            catch_input=catch_input,
        )
    host.activate()
    return Durable(target, host, _claiming(host, target).entry(target).called(name))


def _claiming(host: Host, target: object) -> Adapter:
    for adapter in host.adapters:
        if adapter.claims(target):
            return adapter
    kind = f"{type(target).__module__}.{type(target).__qualname__}"
    names = ", ".join(one.name for one in host.adapters if one.name != "threads") or "none"
    broken = "".join(
        f" {name} could not be loaded: {why}." for name, why in host.plugins.broken.items()
    )
    raise TypeError(
        f"no adapter wraps a {kind}. Adapters here: {names}.{broken} For plain functions use "
        "@durably.entrypoint and @durably.task."
    )


class Durable:
    """A wrapped object; made by :func:`wrap`. Configs are LangGraph's: ``{"configurable": …}``.

    A thread's first run begins with the object as its program made it, the next ones with what the
    thread's last run came to, in any process. Runs may overlap, in threads and event loops: those
    that come while the object is in use get a copy of it.

    Used inside a run (in an entrypoint, a task, an agent's tool), the object has a run of its own,
    whose questions the run around it asks; see :mod:`.nested_use`.
    """

    def __init__(self, target: object, host: Host, entry: Entry) -> None:
        self.target = target
        self.host = host
        self._entry = entry
        self._begin()
        tell_of_forks(self)

    def _begin(self) -> None:
        self._runner = asyncio.Runner()
        self._runner_free = threading.Lock()
        weakref.finalize(self, _close, self._runner, os.getpid())

    def before_fork(self) -> None:
        """Do nothing: the event loop is the parent's."""

    def after_fork(self, *, in_child: bool) -> None:
        """Begin with an event loop of the child's own."""
        if in_child:
            leave_to_parent(self._runner)
            self._begin()

    def invoke(self, input: Any, config: Mapping[str, Any] | None = None) -> Any:  # noqa: A002
        """Run the object to its end, or to its next question.

        Args:
            input: What the object is given. ``None`` continues the thread's last run,
                ``Command(resume=…)`` answers its question and continues. The same input as that of
                an unfinished run continues it too.
            config: ``{"configurable": {"thread_id": …}}``; without it the run has a thread of its
                own.

        Returns:
            What the object returned, or ``{"__interrupt__": [Interrupt, …]}`` if it waits.

        Raises:
            ThreadBusy: Another run is driving the thread.
            ResumeError: There is nothing to continue, or an answer does not fit.
            Exception: What ended the run; invoke with ``None`` to go on from there.
        """
        return delivered(self._execute(input, config, None))

    async def ainvoke(self, input: Any, config: Mapping[str, Any] | None = None) -> Any:  # noqa: A002
        """Like :meth:`invoke`, in the running event loop."""
        return delivered(await self._aexecute(input, config, None))

    def stream(
        self,
        input: Any,  # noqa: A002
        config: Mapping[str, Any] | None = None,
        *,
        stream_mode: str | Sequence[str] = "updates",
    ) -> Iterator[Any]:
        """Run the object and yield parts as they are made.

        Args:
            input: As for :meth:`invoke`.
            config: As for :meth:`invoke`.
            stream_mode: ``updates`` (``{step: result}``), ``tasks`` (steps as they begin, end or
                are replayed), ``messages`` (tokens), ``custom``, ``values`` (the end), or a list
                of these, which yields ``(mode, data)``.
        """

        def parts() -> Iterator[Any]:
            return stream(stream_mode, lambda sink: self._execute(input, config, sink))

        scope = scope_around()
        return parts() if scope is None else scope.stream(self._parts_call(input, config), parts)

    def astream(
        self,
        input: Any,  # noqa: A002
        config: Mapping[str, Any] | None = None,
        *,
        stream_mode: str | Sequence[str] = "updates",
    ) -> AsyncIterator[Any]:
        """Like :meth:`stream`, in the running event loop."""

        def parts() -> AsyncIterator[Any]:
            return astream(stream_mode, lambda sink: self._aexecute(input, config, sink))

        scope = scope_around()
        return parts() if scope is None else scope.astream(self._parts_call(input, config), parts)

    def _parts_call(self, given: Any, config: Mapping[str, Any] | None) -> Call:
        """Return the step of the run around a stream: what its code makes of the parts is replayed.

        The step is pure: what the object does is recorded in its own run.
        """
        request = [given, thread_of(config)]
        return Call("task", f"{self._entry.identity} (stream)", request, pure=True)

    def join_stream(
        self,
        config: Mapping[str, Any],
        *,
        stream_mode: str | Sequence[str] = "updates",
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """Yield the parts of the thread's newest run, which another process may drive.

        See :meth:`Host.join_stream`; the thread is the one that *config* names.
        """
        thread = named_thread(config)
        return self.host.join_stream(thread, stream_mode=stream_mode, timeout=timeout)

    def ajoin_stream(
        self,
        config: Mapping[str, Any],
        *,
        stream_mode: str | Sequence[str] = "updates",
        timeout: float | None = None,
    ) -> AsyncIterator[Any]:
        """Like :meth:`join_stream`, without holding up the event loop."""
        return self.host.ajoin_stream(
            named_thread(config), stream_mode=stream_mode, timeout=timeout
        )

    def get_state(self, config: Mapping[str, Any]) -> RunView | None:
        """Return the thread's newest run as the journal tells it, or None if it has none."""
        runs = self._runs(config)
        return runs[-1] if runs else None

    def get_state_history(self, config: Mapping[str, Any]) -> Iterator[RunView]:
        """Yield the thread's runs, newest first."""
        yield from reversed(self._runs(config))

    def interrupts(self, config: Mapping[str, Any]) -> list[Interrupt]:
        """Return the questions that the thread waits for."""
        view = self.get_state(config)
        return self.host.questions(view) if view is not None else []

    def _runs(self, config: Mapping[str, Any]) -> list[RunView]:
        thread = named_thread(config)
        entries = self.host.journal.read(thread)
        return list(fold((thread, entry) for entry in entries).values())

    def _open(
        self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None
    ) -> tuple[Run, Any]:
        run = open_run(
            self.host,
            self._entry.identity,
            given,
            config,
            sink,
            same_input_continues=True,
            former=self._entry.former,
            call="wrapped.invoke" if self._entry.invoke else "await wrapped.ainvoke",
        )
        return run, self.host.given_to(run) if run.info.resumed else given

    def _execute(self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None) -> Outcome:
        scope = scope_around()
        if scope is None:
            return self._drive(given, config, sink)
        use = NestedUse(self.host, self._entry.identity, scope, given, config)
        found = use.found()
        if found is not None and found.done is not None:
            return found.done
        outcome = self._drive(given if found is None else None, use.config, sink)
        while (said := use.answers(outcome)) is not None:
            outcome = self._drive(said, use.config, sink)
        return outcome

    def _drive(self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None) -> Outcome:
        call, acall = self._entry.invoke, self._entry.ainvoke
        if call is None and _loop_is_running():
            raise RuntimeError(
                f"{self._entry.identity} runs on asyncio and an event loop is running: use ainvoke"
            )
        run, value = self._open(given, config, sink)
        try:
            if call is not None:
                return drive(run, lambda: call(value))
            assert acall is not None
            return self._run_loop(lambda: adrive(run, lambda: acall(value)))
        finally:
            self.host.release(run)

    def _run_loop(self, body: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
        """Run a coroutine in this object's own event loop, or in another if that one is busy.

        The loop stays: a model client's open connections belong to the loop they were made in.
        """
        if not self._runner_free.acquire(blocking=False):
            return asyncio.run(body())
        try:
            return self._runner.run(body())
        finally:
            self._runner_free.release()

    async def _aexecute(
        self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None
    ) -> Outcome:
        scope = scope_around()
        if scope is None:
            return await self._adrive(given, config, sink)
        use = NestedUse(self.host, self._entry.identity, scope, given, config)
        found = use.found()
        if found is not None and found.done is not None:
            return found.done
        outcome = await self._adrive(given if found is None else None, use.config, sink)
        while (said := await use.aanswers(outcome)) is not None:
            outcome = await self._adrive(said, use.config, sink)
        return outcome

    async def _adrive(
        self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None
    ) -> Outcome:
        call, acall = self._entry.invoke, self._entry.ainvoke
        apart = self.host.journal.apart
        run, value = await apart(
            lambda: self._open(given, config, sink), lambda opened: self.host.release(opened[0])
        )
        run.hold = getattr(sink, "hold", None)
        try:
            if acall is not None:
                return await adrive(run, lambda: acall(value))
            assert call is not None
            return await drive_in_thread(run, lambda: call(value))
        finally:
            await apart(lambda: self.host.release(run), lambda _: None)


def _close(runner: asyncio.Runner, process: int) -> None:
    """Close an event loop, unless it is the parent's: closing it would deafen the parent's own."""
    if process == os.getpid():
        runner.close()


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
