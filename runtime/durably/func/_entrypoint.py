"""``@entrypoint``: a function whose runs are durable."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..engine import Outcome, Run, Scope, Sink, adrive, current, drive
from ..hosting import Host, astream, delivered, open_run, stream
from ..journal import MemoryStorage, Storage
from ..journal.records import Saved

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Final(Generic[R, S]):
    """What an entrypoint returns to say apart what the caller gets and what the thread remembers.

    Attributes:
        value: For the caller.
        save: What the thread's next run gets as ``previous``.
    """

    value: R
    save: S


class Entrypoint:
    """A function with durable runs; made by :func:`entrypoint`.

    Attributes:
        func: The function.
        name: What its runs are called.
    """

    def __init__(self, func: Callable[..., Any], checkpointer: str | Storage | Host | None) -> None:
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            raise NotImplementedError("a generator function cannot be an entrypoint")
        self._parameters = inspect.signature(func).parameters
        if not self._parameters:
            raise ValueError(
                f"entrypoint {func.__name__!r} takes no parameter; it must take its input"
            )
        self.func = func
        self.name = f"{func.__module__}:{func.__qualname__}"
        self._is_async = inspect.iscoroutinefunction(func)
        self._checkpointer = checkpointer
        self._made: Host | None = None
        functools.update_wrapper(self, func, updated=())  # type: ignore[arg-type]

    @property
    def host(self) -> Host:
        """The host that runs are driven on; without a checkpointer it keeps nothing."""
        if self._made is None:
            given = self._checkpointer
            self._made = given if isinstance(given, Host) else Host(given or MemoryStorage())
        return self._made

    def invoke(self, input: Any, config: Mapping[str, Any] | None = None) -> Any:  # noqa: A002
        """Run the function to its end, or to its next question.

        Args:
            input: Its input; ``None`` continues the thread's last run, ``Command(resume=…)``
                answers its question and continues.
            config: ``{"configurable": {"thread_id": …}}``.

        Returns:
            What the function returned, or ``{"__interrupt__": [Interrupt, …]}`` if it waits.
        """
        scope = self._parent()
        if scope is not None:
            with scope.span("entrypoint", self.name):
                return self._call(scope.run, input)
        return delivered(self._execute(input, config, None))

    async def ainvoke(self, input: Any, config: Mapping[str, Any] | None = None) -> Any:  # noqa: A002
        """Like :meth:`invoke`, in the running event loop."""
        scope = self._parent()
        if scope is not None:
            with scope.span("entrypoint", self.name):
                value = self._call(scope.run, input)
                return await value if inspect.isawaitable(value) else value
        return delivered(await self._aexecute(input, config, None))

    def stream(
        self,
        input: Any,  # noqa: A002
        config: Mapping[str, Any] | None = None,
        *,
        stream_mode: str | Sequence[str] = "updates",
    ) -> Iterator[Any]:
        """Run the function and yield parts as they are made; see :meth:`Durable.stream`."""

        def execute(sink: Sink) -> Outcome:
            outcome = self._execute(input, config, sink)
            delivered(outcome)
            return outcome

        return stream(stream_mode, execute)

    def astream(
        self,
        input: Any,  # noqa: A002
        config: Mapping[str, Any] | None = None,
        *,
        stream_mode: str | Sequence[str] = "updates",
    ) -> AsyncIterator[Any]:
        """Like :meth:`stream`, in the running event loop."""

        async def execute(sink: Sink) -> Outcome:
            outcome = await self._aexecute(input, config, sink)
            delivered(outcome)
            return outcome

        return astream(stream_mode, execute)

    def _parent(self) -> Scope | None:
        """Return the run around this call, if the entrypoint is to be a part of it."""
        return current() if self._checkpointer is None else None

    def _open(
        self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None
    ) -> tuple[Run, Any]:
        run = open_run(self.host, self.name, given, config, sink, same_input_continues=False)
        return run, self.host.given_to(run) if run.info.resumed else given

    def _execute(self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None) -> Outcome:
        if self._is_async:
            raise TypeError(f"{self.name} is a coroutine function: use ainvoke or astream")
        run, value = self._open(given, config, sink)
        try:
            return self._finished(run, drive(run, lambda: self._body(run, value)))
        finally:
            self.host.release(run)

    async def _aexecute(
        self, given: Any, config: Mapping[str, Any] | None, sink: Sink | None
    ) -> Outcome:
        run, value = self._open(given, config, sink)
        try:
            if self._is_async:
                return self._finished(run, await adrive(run, lambda: self._abody(run, value)))
            outcome = await asyncio.to_thread(drive, run, lambda: self._body(run, value))
            return self._finished(run, outcome)
        finally:
            self.host.release(run)

    def _body(self, run: Run, value: Any) -> Any:
        return self._save(run, self._call(run, value))

    async def _abody(self, run: Run, value: Any) -> Any:
        return self._save(run, await self._call(run, value))

    def _call(self, run: Run, value: Any) -> Any:
        if "previous" in self._parameters:
            return self.func(value, previous=_previous(run))
        return self.func(value)

    def _save(self, run: Run, returned: Any) -> Any:
        """Keep what the thread is to remember, and return what the caller gets."""
        value, save = (
            (returned.value, returned.save) if isinstance(returned, Final) else (returned,) * 2
        )
        if self._checkpointer is not None and not run.stopping:
            body, blobs = run.codec.split(save)
            run.append(Saved(run.clock.now(), body), blobs=blobs)
        return value

    def _finished(self, run: Run, outcome: Outcome) -> Outcome:
        if self._checkpointer is None and run.log is not None:
            self.host.journal.storage.delete(run.log.thread, self.host.clock.now())
        return outcome


def _previous(run: Run) -> Any:
    """Return what the thread's last finished run saved, or None."""
    if run.log is None:
        return None
    for entry in reversed(run.log.entries):
        if isinstance(entry.record, Saved) and entry.run != run.id:
            return run.log.value(entry.record.value)
    return None


class entrypoint:  # noqa: N801 - the name is LangGraph's
    """Make a function's runs durable.

    Args:
        checkpointer: Where runs are kept: a URL, a storage or a host; without one nothing is.

    Example:
        >>> @entrypoint(checkpointer="sqlite:///runs.db")  # doctest: +SKIP
        ... def flow(topic: str) -> str:
        ...     draft = write(topic).result()
        ...     return publish(draft).result() if interrupt(draft) == "ok" else draft
        >>> flow.invoke("tea", {"configurable": {"thread_id": "t1"}})  # doctest: +SKIP
    """

    final = Final

    def __init__(self, checkpointer: str | Storage | Host | None = None) -> None:
        self._checkpointer = checkpointer

    def __call__(self, func: Callable[..., Any]) -> Entrypoint:
        """Return *func* as an entrypoint."""
        return Entrypoint(func, self._checkpointer)
