"""An entrypoint as programs use it: invoke, stream, batch, and the thread's state."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from contextvars import copy_context
from typing import Any, NoReturn

from ...engine import Outcome, Scope, current
from ...hosting import Host, apipe, delivered, pipe, thread_of
from ...journal import MemoryStorage
from ...types import Command, GraphOutput, StepPolicy
from ..frame import Frame
from ..langchain.runnable import Piped
from ..state.history import History
from ..state.thread_states import ThreadStates
from ..streams.join import joining
from ..streams.parts import Part, Teller, chosen, shaped
from .context_schema import context_jsonschema
from .execution import Body, Invocation, Setup
from .nested_call import Nested
from .pauses import NO_PAUSES, Names, Pauses, pauses

Config = Mapping[str, Any] | None
Modes = str | list[str] | tuple[str, ...] | None


class Entrypoint(ThreadStates, Piped):
    """A function with durable runs; made by :class:`durably.entrypoint`.

    It can be used as a langchain-core ``Runnable``: piped with ``|``, given a config and
    callbacks, its events streamed.

    Attributes:
        func: The function.
        name: What it is called in streams and states.
    """

    def __init__(self, func: Callable[..., Any], setup: Setup) -> None:
        self.func = func
        self.name: str = func.__name__
        self._setup = setup
        self._body = Body(func, setup)
        self._made: Host | None = None
        functools.update_wrapper(self, func, updated=())  # type: ignore[arg-type]

    def __durably_take_policy__(self, _: StepPolicy) -> NoReturn:
        """Refuse ``@durably.policy``, which is for steps.

        Raises:
            TypeError: Always.
        """
        raise no_step(self.name)

    @property
    def host(self) -> Host:
        """The host that runs are driven on; without a checkpointer it keeps nothing."""
        if self._made is None:
            given = self._setup.checkpointer
            if given is True:
                raise RuntimeError(
                    f"entrypoint {self.name!r} has checkpointer=True, which is for entrypoints "
                    "called by others; give this one a URL or a checkpointer"
                )
            self._made = given if isinstance(given, Host) else Host(given or MemoryStorage())
        return self._made

    @property
    def checkpointer(self) -> Any:
        """Where runs are kept, as it was given."""
        return self._setup.checkpointer

    @property
    def store(self) -> Any:
        """The long-term memory."""
        return self._setup.resources.store

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """Return the JSON schema of what ``context`` must be, or None if it may be anything.

        Raises:
            ValueError: ``context_schema`` is no pydantic model, dataclass or ``TypedDict``.
        """
        return context_jsonschema(self._setup.context_schema)

    @property
    def keeps(self) -> bool:
        """Whether there is a checkpointer."""
        return self._setup.checkpointer not in (None, False)

    def invoke(
        self,
        input: Any,  # noqa: A002 - the name is LangGraph's
        config: Config = None,
        *,
        context: Any = None,
        durability: str | None = None,
        control: Any = None,
        version: str = "v1",
        stream_mode: Modes = "values",
        interrupt_before: Names = None,
        interrupt_after: Names = None,
        **options: Any,
    ) -> Any:
        """Run the function to its end, or to its next question.

        Args:
            input: Its input, any value but None. ``None`` continues the thread's last run,
                ``Command(resume=…)`` answers its question and continues.
            config: ``{"configurable": {"thread_id": …}, "metadata": …, "callbacks": …}``.
            context: What the function and its tasks get as ``runtime.context``.
            durability: ``sync`` (the default: an outcome is on disk before it is used), ``power``
                (and synced), ``async`` (a moment later), or ``exit`` (all at the end).
            control: A :class:`RunControl` by which the run can be asked to stop.
            version: ``v2`` returns a :class:`GraphOutput`.
            stream_mode: Anything but ``values`` returns the list of that stream's parts.
            interrupt_before: With the entrypoint's name, or ``"*"``: the run begins and is not
                executed; ``None`` as the input continues it.
            interrupt_after: With its name, or ``"*"``: the stream tells of a pause at the end.
            **options: ``subgraphs``, as for :meth:`stream`.

        Returns:
            What the function returned, or ``{"__interrupt__": [Interrupt, …]}`` if it waits.

        Raises:
            ResumeError: There is nothing to continue, or an answer does not fit.
            ThreadBusy: Another run is driving the thread.
        """
        options |= {"interrupt_before": interrupt_before, "interrupt_after": interrupt_after}
        if stream_mode != "values":
            return list(
                self.stream(
                    input,
                    config,
                    stream_mode=stream_mode,
                    context=context,
                    durability=durability,
                    control=control,
                    version=version,
                    **options,
                )
            )
        paused = self._pauses(**options)
        scope = self._parent(config, paused)
        if scope is not None:
            return _nested_value(Nested(self._body, scope, input, config, context).run(), version)
        host = self._host_for(input)
        call = Invocation(host, input, config, context, durability, control, pauses=paused)
        return _returned(self._body.run(call), version)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 - as in invoke
        config: Config = None,
        *,
        context: Any = None,
        durability: str | None = None,
        control: Any = None,
        version: str = "v1",
        stream_mode: Modes = "values",
        interrupt_before: Names = None,
        interrupt_after: Names = None,
        **options: Any,
    ) -> Any:
        """Like :meth:`invoke`, in the running event loop."""
        options |= {"interrupt_before": interrupt_before, "interrupt_after": interrupt_after}
        if stream_mode != "values":
            parts = self.astream(
                input,
                config,
                stream_mode=stream_mode,
                context=context,
                durability=durability,
                control=control,
                version=version,
                **options,
            )
            return [part async for part in parts]
        paused = self._pauses(**options)
        scope = self._parent(config, paused)
        if scope is not None:
            return _nested_value(
                await Nested(self._body, scope, input, config, context).arun(), version
            )
        host = self._host_for(input)
        call = Invocation(host, input, config, context, durability, control, pauses=paused)
        return _returned(await self._body.arun(call), version)

    def stream(
        self,
        input: Any,  # noqa: A002 - as in invoke
        config: Config = None,
        *,
        stream_mode: Modes = None,
        subgraphs: bool = False,
        context: Any = None,
        durability: str | None = None,
        control: Any = None,
        version: str = "v1",
        interrupt_before: Names = None,
        interrupt_after: Names = None,
    ) -> Iterator[Any]:
        """Run the function and yield parts as they are made.

        Args:
            input: As for :meth:`invoke`.
            config: As for :meth:`invoke`.
            stream_mode: ``updates`` (the default: ``{task: result}``), ``values``, ``tasks``,
                ``custom``, ``messages``, ``checkpoints``, ``debug``, or a list of them, which
                yields ``(mode, data)``.
            subgraphs: Whether parts of nested entrypoints, and of steps inside tasks, are told
                too, with their place in front.
            context: As for :meth:`invoke`.
            durability: As for :meth:`invoke`.
            control: As for :meth:`invoke`.
            version: ``v2`` yields ``{"type": mode, "ns": place, "data": data}``.
            interrupt_before: As for :meth:`invoke`.
            interrupt_after: As for :meth:`invoke`.

        Raises:
            ValueError: There is no such mode.
        """
        paused = pauses(self.name, interrupt_before, interrupt_after)
        scope = self._parent(config, paused)
        mode = stream_mode or "updates"
        modes = chosen(mode)
        host = self._host_for(input) if scope is None else None

        def execute(emit: Callable[[Part], None]) -> Outcome:
            teller = Teller(modes, subgraphs=subgraphs, emit=emit, metadata=_told(config))
            if scope is not None:
                nested = Nested(self._body, scope, input, config, context, teller)
                return Outcome("done", nested.run())
            assert host is not None
            return self._body.run(
                Invocation(host, input, config, context, durability, control, teller, paused)
            )

        with closing(pipe(execute)) as parts:
            for part in parts:
                yield shaped(part, mode, subgraphs=subgraphs, version=version)

    async def astream(
        self,
        input: Any,  # noqa: A002 - as in invoke
        config: Config = None,
        *,
        stream_mode: Modes = None,
        subgraphs: bool = False,
        context: Any = None,
        durability: str | None = None,
        control: Any = None,
        version: str = "v1",
        interrupt_before: Names = None,
        interrupt_after: Names = None,
    ) -> AsyncIterator[Any]:
        """Like :meth:`stream`, in the running event loop."""
        paused = pauses(self.name, interrupt_before, interrupt_after)
        scope = self._parent(config, paused)
        mode = stream_mode or "updates"
        modes = chosen(mode)
        host = self._host_for(input) if scope is None else None

        async def execute(emit: Callable[[Part], None]) -> Outcome:
            teller = Teller(modes, subgraphs=subgraphs, emit=emit, metadata=_told(config))
            if scope is not None:
                nested = Nested(self._body, scope, input, config, context, teller)
                return Outcome("done", await nested.arun())
            assert host is not None
            return await self._body.arun(
                Invocation(host, input, config, context, durability, control, teller, paused)
            )

        async with aclosing(apipe(execute)) as parts:
            async for part in parts:
                yield shaped(part, mode, subgraphs=subgraphs, version=version)

    def join_stream(
        self,
        config: Mapping[str, Any],
        *,
        stream_mode: Modes = None,
        subgraphs: bool = False,
        version: str = "v1",
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """Yield the parts of the thread's newest run, which another process may drive.

        What is recorded comes at once, the rest as it is committed, until the run ends or waits
        for somebody. A run whose process dies goes on in the same stream when it is continued, and
        a thread that has no run yet is waited for.

        Args:
            config: Names the thread.
            stream_mode: ``updates``, ``tasks``, ``values``, ``custom`` or a list of them, as in
                :meth:`stream`. What tasks write (``custom``) comes from hosts with
                ``stream_resumable``.
            subgraphs: As for :meth:`stream`.
            version: As for :meth:`stream`.
            timeout: Seconds without anything new after which it is given up.

        Raises:
            TimeoutError: Nothing new came in time.
            Exception: What ended the run.
        """
        mode = stream_mode or "updates"
        parts = joining(self.host, self.name, config, mode, subgraphs=subgraphs, timeout=timeout)
        for part in parts.parts():
            yield shaped(part, mode, subgraphs=subgraphs, version=version)

    async def ajoin_stream(
        self,
        config: Mapping[str, Any],
        *,
        stream_mode: Modes = None,
        subgraphs: bool = False,
        version: str = "v1",
        timeout: float | None = None,  # noqa: ASYNC109 - of silence, not of the whole
    ) -> AsyncIterator[Any]:
        """Like :meth:`join_stream`, without holding up the event loop."""
        mode = stream_mode or "updates"
        joined = joining(self.host, self.name, config, mode, subgraphs=subgraphs, timeout=timeout)
        async with aclosing(joined.aparts()) as parts:
            async for part in parts:
                yield shaped(part, mode, subgraphs=subgraphs, version=version)

    def batch(
        self,
        inputs: Sequence[Any],
        config: Config | Sequence[Mapping[str, Any]] = None,
        *,
        return_exceptions: bool = False,
        **options: Any,
    ) -> list[Any]:
        """Invoke with several inputs at once; each run has a thread of its own in the pool."""
        configs = _configs(config, len(inputs))

        def one(call: Callable[[], Any]) -> Any:
            try:
                return call()
            except Exception as error:
                if return_exceptions:
                    return error
                raise

        if not inputs:
            return []
        pairs = zip(inputs, configs, strict=True)
        calls = [self._call(given, own, options) for given, own in pairs]
        limit = (configs[0] or {}).get("max_concurrency") or len(inputs)
        with ThreadPoolExecutor(max_workers=limit) as pool:
            begun = [pool.submit(copy_context().run, one, call) for call in calls]
            return [future.result() for future in begun]

    def _call(self, given: Any, config: Config, options: Mapping[str, Any]) -> Callable[[], Any]:
        """Return what invokes the entrypoint in a thread.

        A part of the run around the call is opened now: its order is that of the inputs.
        """
        scope = self._parent(config)
        if scope is None or options.get("stream_mode", "values") != "values":
            return functools.partial(self.invoke, given, config, **options)
        nested = Nested(self._body, scope, given, config, options.get("context"))
        return lambda: _nested_value(nested.run(), options.get("version", "v1"))

    async def abatch(
        self,
        inputs: Sequence[Any],
        config: Config | Sequence[Mapping[str, Any]] = None,
        *,
        return_exceptions: bool = False,
        **options: Any,
    ) -> list[Any]:
        """Like :meth:`batch`, in the running event loop."""
        configs = _configs(config, len(inputs))
        runs = [
            self.ainvoke(given, own, **options) for given, own in zip(inputs, configs, strict=True)
        ]
        return list(await asyncio.gather(*runs, return_exceptions=return_exceptions))

    def _pauses(
        self,
        *,
        interrupt_before: Names,
        interrupt_after: Names,
        subgraphs: bool = False,
        **unknown: Any,
    ) -> Pauses:
        """Return where a call pauses; refuse options that ``invoke`` does not have."""
        del subgraphs  # of streams
        if unknown:
            raise TypeError(f"invoke() has no option {', '.join(sorted(unknown))}")
        return pauses(self.name, interrupt_before, interrupt_after)

    def _parent(self, config: Config, paused: Pauses = NO_PAUSES) -> Scope | None:
        """Return the run around this call, if the entrypoint is to be a part of it.

        One with a checkpointer is a part of the entrypoint that calls it, unless the call names
        another thread: then it has a run of its own there, as in LangGraph.
        """
        thread, scope = thread_of(config), current()
        if scope is not None and self.keeps and self._setup.checkpointer is not True:
            is_called = isinstance(scope.local, Frame)
            scope = scope if is_called and thread in (None, scope.run.info.thread) else None
        if scope is not None and paused != NO_PAUSES:
            raise ValueError(
                f"entrypoint {self.name!r} is called inside run {scope.run.id}, which "
                "interrupt_before and interrupt_after cannot pause there; use interrupt()"
            )
        return scope

    @property
    def _history(self) -> History:
        if not self.keeps:
            raise ValueError(f"entrypoint {self.name!r} has no checkpointer, so it has no state")
        return History(self.host, self._body.entry)

    def _parted(self, values: Any) -> tuple[Any, Any]:
        return self._body.parted(values)

    def _host_for(self, given: Any) -> Host:
        if isinstance(given, Command) and not self.keeps:
            raise RuntimeError(
                f"entrypoint {self.name!r} has no checkpointer, so it cannot be resumed; give it "
                "one: @entrypoint(checkpointer=InMemorySaver())"
            )
        return self.host

    def clear_cache(self) -> None:
        """Forget every cached result of tasks called by this entrypoint."""
        cache = self._setup.resources.cache
        if cache is not None:
            cache.clear()

    async def aclear_cache(self) -> None:
        """Like :meth:`clear_cache`."""
        await asyncio.to_thread(self.clear_cache)


def no_step(name: str) -> TypeError:
    """Return the error for a policy on an entrypoint, which is no step."""
    return TypeError(
        f"@durably.policy cannot be put on entrypoint {name!r}: a policy is for steps. Put it on "
        "its tasks, or give the entrypoint retry_policy=… and timeout=…"
    )


def _nested_value(value: Any, version: str) -> Any:
    return GraphOutput(value) if version == "v2" else value


def _returned(outcome: Outcome, version: str) -> Any:
    """Return what ``invoke`` returns; while the run waits, that is what the thread had saved."""
    is_waiting = outcome.status == "waiting" and outcome.error is None
    saved = outcome.value if is_waiting and isinstance(outcome.value, dict) else None
    if version == "v2":
        return GraphOutput(saved if is_waiting else delivered(outcome), outcome.interrupts)
    return {**(saved or {}), **delivered(outcome)} if is_waiting else delivered(outcome)


def _told(config: Config) -> dict[str, Any]:
    """Return what task parts tell of a config."""
    told = dict((config or {}).get("metadata") or {})
    tags = (config or {}).get("tags")
    return {**told, "tags": list(tags)} if tags else told


def _configs(config: Config | Sequence[Mapping[str, Any]], count: int) -> list[Config]:
    if config is None or isinstance(config, Mapping):
        return [config] * count
    if len(config) != count:
        raise ValueError(f"there are {count} inputs and {len(config)} configs")
    return list(config)
