"""One call of a graph inside a run: begin or go on, ask what the graph asks, resume it.

LangGraph ends a call when a node asks a person; the answers are given to a second call, and so on.
Such a call is a round. All rounds of one call are one step of the run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from durably.adapting import Run, Scope, live_scope
from durably.errors import Suspended

T = TypeVar("T")

MARK = "durably_step"
"""Names the step in the metadata of a graph's own checkpoints, so that it can be gone on with."""

_CHECKPOINTER = "__pregel_checkpointer"
_DURABILITY = "__pregel_durability"
_INTERNAL = "__pregel_"
_COORDINATES = frozenset({"checkpoint_id", "checkpoint_ns", "checkpoint_map"})

_frame: ContextVar[Frame | None] = ContextVar("durably_langgraph_frame", default=None)


class Frame:
    """A call of a graph, from inside its step.

    Attributes:
        run: The run that it is made in.
        scope: The step's.
        config: What each round is called with.
        is_continued: Whether it goes on from a checkpoint of an earlier process or attempt.
        places: Where the interrupts of this round come from, by their ids: the scope of the node,
            and how many of its interrupts had been answered.
    """

    def __init__(self, scope: Scope, graph: Any, config: Mapping[str, Any] | None) -> None:
        self.run: Run = scope.run
        self.is_continued = False
        self.places: dict[str, tuple[Scope, int]] = {}
        self._graph = graph
        self.scope = scope
        self._is_tappable = False
        self._lane = scope.child("nodes", owner=self)
        self._mark = f"{scope.run.id}/{scope.lane.path}"
        self._can_ask = graph.checkpointer is not False  # LangGraph needs one for that
        self.config = self._config_for(graph, config or {})

    def _config_for(self, graph: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        configurable = {
            **_inherited(),
            **_configurable(getattr(graph, "config", None)),
            **_configurable(config),
        }
        self._lends = graph.checkpointer is None and _CHECKPOINTER not in configurable
        if self._lends:
            from ._default_checkpointer import lent_checkpointer

            configurable[_CHECKPOINTER] = lent_checkpointer()
            configurable.setdefault(_DURABILITY, "exit")  # it is read after a round only
        if self._lends or not self._can_ask:
            # An explicit thread id also makes this no part of a graph around the whole run.
            configurable.setdefault("thread_id", self.run.info.thread)
        metadata = {**(config.get("metadata") or {}), MARK: self._mark}
        return {**config, "configurable": configurable, "metadata": metadata}

    @property
    def latest(self) -> dict[str, Any]:
        """The configuration that names the newest checkpoint, whichever the call began from."""
        configurable = {
            name: value
            for name, value in self.config["configurable"].items()
            if name not in _COORDINATES
        }
        return {**self.config, "configurable": configurable}

    def begin(self, given: Any) -> Any:
        """Return what the first round is called with: the input, or None to go on.

        A graph's own checkpointer may know this call from an earlier process, or an earlier attempt
        of the code around it; its newest checkpoint then bears our mark.
        """
        if not self._may_be_known:
            return given
        return self._first(given, self._graph.get_state(self.latest))

    async def abegin(self, given: Any) -> Any:
        """Like :meth:`begin`, for checkpointers that are asynchronous."""
        if not self._may_be_known:
            return given
        return self._first(given, await self._graph.aget_state(self.latest))

    def go_on(self) -> Any:
        """Return the command that answers what the graph asks; None if it is through.

        Raises:
            Suspended: A question has no answer yet. All of them are recorded and will be shown.
        """
        return self._answers(self._graph.get_state(self.latest)) if self._can_ask else None

    async def ago_on(self) -> Any:
        """Like :meth:`go_on`, for checkpointers that are asynchronous."""
        return self._answers(await self._graph.aget_state(self.latest)) if self._can_ask else None

    @property
    def _may_be_known(self) -> bool:
        has_thread = "thread_id" in self.config["configurable"]
        return self._can_ask and not self._lends and has_thread

    def _first(self, given: Any, state: Any) -> Any:
        if (state.metadata or {}).get(MARK) != self._mark:
            return given
        self.is_continued = True
        self.config = self.latest
        return None

    def _answers(self, state: Any) -> Any:
        from langgraph.types import Command

        waiting: Suspended | None = None
        given: dict[str, Any] = {}
        for position, one in enumerate(state.interrupts):
            try:
                given[one.id] = self._ask(one, position)
            except Suspended as suspended:
                waiting = suspended
        if waiting is not None:
            raise waiting
        self.places.clear()
        self.config = self.latest
        return Command(resume=given) if given else None

    def _ask(self, interrupt: Any, position: int) -> Any:
        place, index = self.places.get(interrupt.id, (self.scope, position))
        inner = place.child(f"interrupt[{index}]")
        return inner.ask("interrupt", interrupt.value, getattr(interrupt, "response_schema", None))

    @contextmanager
    def invoking(self) -> Generator[None]:
        """Be inside a round of ``invoke``, which streams the graph itself, while the block runs."""
        self._is_tappable = self.run.sink is not None
        with self._entered(self._round()):
            yield

    def is_tapped(self) -> bool:
        """Say whether the stream begun just now is that of a round; true once in a round."""
        tapped, self._is_tappable = self._is_tappable, False
        return tapped

    @contextmanager
    def _entered(self, scope: Scope) -> Generator[None]:
        before = _frame.get()
        _frame.set(self)
        try:
            with scope.entered():
                yield
        finally:
            _frame.set(before)

    def _round(self) -> Scope:
        """Return the scope of one more round: the nodes of earlier ones are met again in it."""
        return self._lane.child("nodes", owner=self)

    def each(self, source: Iterator[T]) -> Iterator[T]:
        """Yield from *source*, a round, which runs inside this call while its consumer does not."""
        scope = self._round()
        try:
            while True:
                with self._entered(scope):
                    try:
                        item = next(source)
                    except StopIteration:
                        return
                yield item
        finally:
            with self._entered(scope):
                source.close()  # type: ignore[attr-defined]  # a generator

    async def aeach(self, source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Like :meth:`each`, for asynchronous generators."""
        scope = self._round()
        try:
            while True:
                with self._entered(scope):
                    try:
                        item = await anext(source)
                    except StopAsyncIteration:
                        return
                yield item
        finally:
            with self._entered(scope):
                await source.aclose()


def frame_here() -> Frame | None:
    """Return the call of a graph that this code runs inside of, in the current run."""
    scope, frame = live_scope(), _frame.get()
    return frame if scope is not None and frame is not None and frame.run is scope.run else None


def _configurable(config: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (config or {}).get("configurable") or {}


def _inherited() -> dict[str, Any]:
    """Return what a graph around the whole run configured, without what makes us part of it."""
    from langchain_core.runnables.config import var_child_runnable_config

    ambient = var_child_runnable_config.get()
    return {
        name: value
        for name, value in _configurable(ambient).items()
        if not name.startswith(_INTERNAL) and name not in _COORDINATES
    }
