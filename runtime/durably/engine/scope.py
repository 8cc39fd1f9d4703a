"""Where code is in a run, and what it may do there: take a step, open a span, ask a person.

The sync and async call sites are twins by nature; :mod:`.step.step` holds the decisions that they
share.
"""

from __future__ import annotations

import uuid
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, TypeVar

from ..caching import at_once
from ..errors import Suspended
from ..process_fork import parents
from ..types import Kind
from .base_scope import BaseScope
from .blocking_or_async import Awaiting, Blocking
from .call import Call
from .order.branch_order import order_point
from .order.shared_state import Interleaving, Places, Recorded, ain_place, in_place, recorded
from .replay.lane import Lane, segments
from .replay.lane_name import UNNAMED, NamedLane, named_lane
from .replay.run_history import IDENTITY
from .run.held_lanes import holding
from .run.unmet_effects import leave
from .scope_var import scope_var
from .step.admission import aadmitted, admitted, settled
from .step.async_commit import abegin, afail, afinish
from .step.execution import performed
from .step.fast_path import replayed_next
from .step.iteration import each, iterate
from .step.parked_calls import park, signal_unwound
from .step.questions import aask_in, ask_in
from .step.step import Step
from .step.streams import astream, stream
from .timeouts import acall_within, call_within
from .unwind import Region, Targets

T = TypeVar("T")


class Scope(BaseScope):
    """A place in a run, and the actions of code there. Made by the engine; see :func:`current`."""

    __slots__ = ()

    def within(self, kind: str, name: str | None = None) -> bool:
        """Say whether this code runs inside a step of *kind* (and *name*).

        A seam asks so that a call that reaches it twice, through ``super()`` or a wrapper of the
        same thing, is one step.
        """
        return self.leaf is not None and self.leaf[0] == kind and name in (None, self.leaf[1])

    def child(
        self,
        segment: str,
        *,
        owner: Hashable | None = None,
        targets: tuple[Targets, ...] | None = None,
        given: Any = UNNAMED,
        siblings: Sequence[Any] | None = None,
        former: str = "",
    ) -> Scope:
        """Return the scope of a new lane inside this one, without entering it.

        Args:
            segment: Says what the lane is; lanes of concurrent branches need different ones.
            owner: If it is the current lane's own, this is a retry of that lane: the same path is
                entered again, and what was finished in it is replayed, but for the step for whose
                sake it is retried.
            targets: What finds the tasks to be cancelled first when the lane is unwound, if no
                exception can leave it (:mod:`.unwind`); it is a part of a region around it.
            given: What the lane is and was given, as data; it names the lane. Without it lanes of
                one segment are told apart by their order.
            siblings: What every lane of the segment is given that there will be, if that is known
                (a crew's tasks): in an edited program the lanes are then matched exactly.
            former: The segment in runs that were begun before lanes were named by their content.
        """
        if owner is not None and self.lane.owner == owner:
            self.run.retry(self.lane.newest())
            lane = self.lane.again()
        else:
            with self.run.lock:
                path, instead = self._named(segment, given, siblings, former)
            lane = Lane(path, owner, self.lane.deadline, self.lane.agent)
            lane.leaf, lane.instead = self.lane.leaf, instead or self.lane.instead
        region = self.region
        if targets is not None and not self.parks:
            region = self._region(lane, targets)
        return Scope(self.run, lane, None, region, self.local)

    def _region(self, lane: Lane, targets: tuple[Targets, ...]) -> Region:
        self.run.targets.update(dict.fromkeys(targets))
        return Region(self.run, lane.path, targets)

    def _named(
        self, segment: str, given: Any, siblings: Sequence[Any] | None, former: str
    ) -> NamedLane:
        run, lane = self.run, self.lane
        if given is not UNNAMED and run.past.identity >= IDENTITY:
            return named_lane(run, lane, segment, given, siblings)
        segment = former or segment
        return NamedLane(lane.child(segment, lane.count(("lane", segment))))

    def parking(self, *targets: Targets) -> Scope:
        """Return this place as one in which steps park, since no exception can pass there.

        Args:
            targets: See :meth:`child`.
        """
        region = self._region(self.lane, targets)
        return Scope(self.run, self.lane, self.leaf, region, self.local)

    def edge(self) -> AbstractContextManager[None]:
        """Let the signal out of the block, if this lane is unwound from outside.

        Put it where a framework's call that no exception can leave returns to the program.
        """
        region = self.region
        is_outermost = region is not None and region.path == self.lane.path
        return region.edge() if region is not None and is_outermost else nullcontext()

    @contextmanager
    def span(
        self,
        kind: str,
        name: str,
        segment: str = "",
        *,
        owner: Hashable | None = None,
        given: Any = UNNAMED,
        siblings: Sequence[Any] | None = None,
        former: str = "",
    ) -> Generator[Scope]:
        """Enter a container of steps: a crew, a task, an agent's turn.

        Args:
            kind: What it is, for people.
            name: Which one, for people.
            segment: The lane's segment; ``kind:name`` if empty.
            owner: See :meth:`child`.
            given: See :meth:`child`.
            siblings: See :meth:`child`.
            former: See :meth:`child`.
        """
        inner = self.child(
            segment or f"{kind}:{name}",
            owner=owner,
            given=given,
            siblings=siblings,
            former=former,
        )
        inner.announce(kind, name)
        try:
            with inner.entered():
                yield inner
        except BaseException as error:
            inner.conclude(kind, name, error)
            raise
        inner.conclude(kind, name, None)

    def announce(self, kind: str, name: str) -> None:
        """Tell listeners that this scope, a span, begins; policies know an agent's by its name."""
        run = self.run
        if kind == "agent":
            self.lane.agent = name
        run.tell(run.options.listeners.span_started, self.lane.path, kind, name)

    def conclude(self, kind: str, name: str, error: BaseException | None) -> None:
        """Tell listeners that this scope, a span, is over."""
        run = self.run
        run.pass_on(self.lane.path)
        run.tell(run.options.listeners.span_ended, self.lane.path, kind, name, error)

    def pass_over(self) -> None:
        """Say that the code of this scope is not executed: a replayed outcome tells all of it."""
        self.run.past.passed_over.add(self.lane.path)

    def leave(self) -> None:
        """Say that the code of this scope is over, and an outcome tells all of it from now on.

        Effects that the journal holds here, and that the code did not come to, are told.
        """
        leave(self.run, self.lane.path)

    def each(self, source: Iterator[T]) -> Iterator[T]:
        """Yield from *source*, which runs inside this scope while its consumer does not."""
        return each(self, source)

    def iterate(self, source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """Like :meth:`each`, for asynchronous iterators."""
        return iterate(self, source)

    def replayed_next(self, kind: Kind, name: str, request: object) -> Any:
        """Return the value of the step that the journal holds next if it is this one.

        Else it is :data:`NOTHING`, and the step is to be opened. Asked only while the run's past
        is orderly (:attr:`Past.is_orderly`).
        """
        return replayed_next(self.run, self.lane, kind, name, request)

    def open(self, call: Call) -> Step:
        """Come to a step: its identity is settled now, wherever and whenever it is performed."""
        return Step(self.run, self.lane, call)

    def step(self, call: Call, execute: Callable[[], Any]) -> Any:
        """Replay a step, or execute it and record its outcome.

        Args:
            call: What it is.
            execute: Does it.

        Raises:
            Suspended: The run is being suspended; let it pass.
            Exception: What *execute* raised, now or when it was recorded.
        """
        return self.perform(self.open(call), execute)

    def perform(  # noqa: C901 - the paths of a step, cheapest first
        self, step: Step, execute: Callable[[], Any]
    ) -> Any:
        """Do what :meth:`step` does, for a step that was opened before."""
        if self.run.interleaved and not step.in_place and self.leaf is None:
            step.in_place = True
            with in_place(self.run, self.lane.path):
                return self.perform(step, execute)
        if step.held is not None:
            return step.replay()
        if step.terms.are_gated:
            return at_once(performed(self, step, Blocking(self.run.clock), execute))
        if (step.is_new_effect or self.run.past.unfinished) and (
            found := admitted(self, step)
        ) is not None:
            return settled(step, found)
        step.begin()
        try:
            while True:
                try:
                    inner = self.inner_of(step)
                    before = scope_var.get()
                    scope_var.set(inner)
                    try:
                        if step.policy.timeout and inner.lane.deadline:
                            value = call_within(inner.lane.deadline, execute)
                        else:
                            value = execute()
                    finally:
                        scope_var.set(before)
                except Exception as error:
                    delay = step.retry_in(error)
                    if delay is None:
                        step.fail(error)
                        raise
                else:
                    return step.finish(value)
                self.run.clock.sleep(delay)
        except BaseException as error:
            step.abandon()
            signal_unwound(step, error)
            raise

    async def astep(self, call: Call, execute: Callable[[], Awaitable[Any]]) -> Any:
        """Like :meth:`step`, for coroutines; parks where no exception can pass."""
        try:
            return await self.aperform(self.open(call), execute)
        except Suspended:
            if not self.parks:
                raise
        return await self.park()

    async def aperform(  # noqa: C901, PLR0912 - the paths of a step, cheapest first
        self, step: Step, execute: Callable[[], Awaitable[Any]]
    ) -> Any:
        """Like :meth:`perform`, for coroutines."""
        run = self.run
        if run.interleaved and not step.in_place and self.leaf is None:
            step.in_place = True
            async with ain_place(run, self.lane.path):
                return await self.aperform(step, execute)
        if step.held is not None:
            return step.replay()
        if run.hold is not None:
            await run.hold()
        if step.terms.are_gated:
            return await performed(self, step, Awaiting(run.clock), execute)
        if (step.is_new_effect or run.past.unfinished) and (
            found := await aadmitted(self, step)
        ) is not None:
            return settled(step, found)
        if step.is_effect:
            await abegin(step)
        else:
            step.begin()
        try:
            while True:
                try:
                    inner = self.inner_of(step)
                    before = scope_var.get()
                    scope_var.set(inner)
                    try:
                        value = await (
                            acall_within(inner.lane.deadline, execute)
                            if step.policy.timeout and inner.lane.deadline
                            else execute()
                        )
                    finally:
                        scope_var.set(before)
                except Exception as error:
                    delay = step.retry_in(error)
                    if delay is None:
                        await afail(step, error)
                        raise
                else:
                    return await afinish(step, value) if step.is_deferred else step.finish(value)
                await run.clock.asleep(delay)
        except BaseException as error:
            step.abandon()
            signal_unwound(step, error)
            raise

    def stream(self, call: Call, source: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """Like :meth:`step`, for a step whose value arrives in pieces; see :meth:`astream`."""
        return stream(self, call, source)

    def astream(
        self, call: Call, source: Callable[[], AsyncIterator[Any]]
    ) -> AsyncGenerator[Any, None]:
        """Like :meth:`astep`, for a step whose value arrives in pieces.

        The pieces are passed on as they come, all but the last, which is held back until the whole
        is recorded; on replay the same pieces are yielded at once. The recorded value is their
        list. A stream that breaks and is retried begins anew: what had been passed on stays so.
        """
        return astream(self, call, source)

    def inside(self, step: Step) -> AbstractContextManager[Scope]:
        """Enter what happens inside *step*, to execute again what its record does not tell."""
        return self.inner_of(step).entered()

    def heartbeat(self) -> None:
        """Tell an idle timeout around this code that there is progress."""
        if self.lane.deadline is not None:
            self.lane.deadline.beat(explicit=True)

    @property
    def was_asked(self) -> bool:
        """Whether a question was recorded in this very lane, by this process or an earlier one."""
        return any(asked.lane == self.lane.path for asked in self.run.past.asked.values())

    def ask(
        self,
        name: str,
        value: Any,
        schema: Any = None,
        *,
        here: Callable[[], Any] | None = None,
    ) -> Any:
        """Return a person's answer to *value*.

        Args:
            name: What asks, such as ``human_input``; questions are counted by it.
            value: The question: a mapping with ``kind``, ``message`` and the like, or anything.
            schema: What an answer must look like.
            here: Puts the question as the program does without durably. On a host whose runs are
                answered where they ask (``Options.asks_here``) what it returns is the answer, and
                the question is a step.

        Raises:
            Suspended: There is no answer yet. The question is recorded and will be shown.
        """
        if here is not None and self.run.options.asks_here:
            return self.step(Call("human", name, value), here)
        return ask_in(self, name, value, schema)

    async def aask(
        self,
        name: str,
        value: Any,
        schema: Any = None,
        *,
        here: Callable[[], Awaitable[Any]] | None = None,
    ) -> Any:
        """Like :meth:`ask`; parks where no exception can pass."""
        if here is not None and self.run.options.asks_here:
            return await self.astep(Call("human", name, value), here)
        return await aask_in(self, name, value, schema)

    def waiting(self) -> AbstractContextManager[None]:
        """Say that this code waits for other code of the run while the block runs.

        Put it around what a framework does elsewhere, such as handling a message: if that is
        parked, a step around the block does not count as being under way.
        """
        return holding(self.run.held, self.lane.path)

    async def park(self) -> Any:
        """Wait for ever; the region is unwound from outside once nothing else is under way.

        Raises:
            Suspended: Exceptions pass here.
        """
        await park(self)

    def fatal(self, error: BaseException) -> Any:
        """End the run with *error*, past a framework that would swallow it.

        Raises:
            Suspended: Always; where it cannot pass, catch it and :meth:`park`.
        """
        self.run.stop(error)

    async def order_point(
        self, group: str, who: str, under_way: Callable[[], bool] | None = None
    ) -> None:
        """Wait until *who* is next among the branches of *group* (:mod:`.order.branch_order`)."""
        await order_point(self.run, group, who, under_way)

    def recorded(self, kind: str) -> list[Recorded]:
        """Return this lane's finished steps of *kind* that the journal holds, in its order."""
        return recorded(self.run, self.lane.path, kind)

    def interleaving(self, back: Mapping[int, Places]) -> Interleaving:
        """Return what keeps branches of this lane that share state where they were, on replay."""
        return Interleaving(self.run, back)

    def emit(self, mode: str, data: Any) -> None:
        """Hand a part to whoever streams the run; the lane is its namespace."""
        if self.lane.deadline is not None:
            self.lane.deadline.beat()
        if self.run.sink is not None:
            self.run.sink(mode, segments(self.lane.path), data)

    def uuid(self) -> uuid.UUID:
        """Return a new id that is the same on replay."""
        return self.run.uuid(self.lane.path)

    def now(self) -> datetime:
        """Return the time, the same on replay and never the same twice."""
        return self.run.now(self.lane.path)


def current() -> Scope | None:
    """Return the scope that the calling code runs in, or None outside of any run.

    A run is its process's: a child that was forked inside a run is outside of it.
    """
    scope: Scope | None = scope_var.get()
    if parents and scope is not None and scope.is_left:
        return None
    return scope


def is_in_child() -> bool:
    """Say whether the calling code would be in a run, had its process not been forked in it."""
    scope: Scope | None = scope_var.get()
    return bool(parents) and scope is not None and scope.is_left
