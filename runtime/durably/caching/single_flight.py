"""Single flight: callers who want the same key at the same time compute it once."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar, cast

from ..process_fork import tell_of_forks

T = TypeVar("T")


class _Flight(Generic[T]):
    """One computation under way, and the places of those who wait for it."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: deque[Future[Turn[T]]] = deque()


_leading: contextvars.ContextVar[frozenset[_Flight[Any]]] = contextvars.ContextVar(
    "durably_leading_flights", default=frozenset()
)


class Turn(Generic[T]):
    """A caller's part in a flight: it has the value, or it computes it.

    Attributes:
        landed: Whether another caller computed the value.
        alone: Whether this caller computes for itself only, because waiting could block for ever.
    """

    __slots__ = ("_flight", "_key", "_owner", "_value", "alone", "landed")

    def __init__(
        self, owner: SingleFlight[T], key: Hashable, flight: _Flight[T] | None, *, landed: bool
    ) -> None:
        self._owner = owner
        self._key = key
        self._flight = flight
        self._value: T | None = None
        self.landed = landed
        self.alone = flight is None and not landed

    @property
    def value(self) -> T:
        """What another caller computed; only if :attr:`landed`."""
        assert self.landed
        return cast("T", self._value)

    def land(self, value: T) -> T:
        """Give *value* to everybody who waits, and return it."""
        flight = self._depart()
        if flight is not None:
            self._owner._land(self._key, flight, value)
        return value

    def leave(self) -> None:
        """Let the next who waits compute, unless the value has landed; twice does nothing more."""
        flight = self._depart()
        if flight is not None:
            self._owner._hand_over(self._key, flight)

    def _begin(self) -> Turn[T]:
        if self._flight is not None:
            _leading.set(_leading.get() | {self._flight})
        return self

    def _depart(self) -> _Flight[T] | None:
        flight, self._flight = self._flight, None
        if flight is not None:
            _leading.set(_leading.get() - {flight})
        return flight


class SingleFlight(Generic[T]):
    """Lets one of several concurrent callers compute, and the others have its value.

    Callers may be threads, tasks of one event loop, or tasks of several. A failure is not shared:
    when the one who computes fails or is cancelled, the next who waits computes. Nobody waits for
    himself: a call made while its own key is being computed, and a blocking call on the thread of
    an event loop, are computed at once.

    The idea and the name are those of Go's ``singleflight``
    (https://pkg.go.dev/golang.org/x/sync/singleflight), which does share failures.

    Example:
        >>> flights = SingleFlight[int]()
        >>> flights.run("six", lambda: 2 * 3)
        6
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._lock = threading.Lock()
        tell_of_forks(self)

    def before_fork(self) -> None:
        """Do nothing: who computes goes on in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Wait for nobody in the child: whoever was computing is not there."""
        if in_child:
            self._flights = {}
            self._lock = threading.Lock()

    def run(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what *compute* returns, here or in a caller who began earlier.

        Raises:
            Exception: Whatever *compute* raised here; never what it raised elsewhere.
        """
        turn = self.enter(key)
        try:
            return turn.value if turn.landed else turn.land(compute())
        finally:
            turn.leave()

    async def arun(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """Like :meth:`run`, for a task of an event loop."""
        turn = await self.aenter(key)
        try:
            return turn.value if turn.landed else turn.land(await compute())
        finally:
            turn.leave()

    def enter(self, key: Hashable) -> Turn[T]:
        """Return this caller's turn, which must be left; waits while another one computes."""
        place = self._place(key, may_wait=not _is_on_event_loop())
        try:
            return place.result()._begin()
        except BaseException:
            _give_up(place)
            raise

    async def aenter(self, key: Hashable) -> Turn[T]:
        """Like :meth:`enter`, without blocking the event loop."""
        place = self._place(key, may_wait=True)
        try:
            turn = place.result() if place.done() else await asyncio.wrap_future(place)
        except BaseException:
            _give_up(place)
            raise
        return turn._begin()

    def _place(self, key: Hashable, *, may_wait: bool) -> Future[Turn[T]]:
        """Return where this caller finds its turn: at once, or when its time has come."""
        place: Future[Turn[T]] = Future()
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = _Flight()
                place.set_result(Turn(self, key, flight, landed=False))
            elif not may_wait or flight in _leading.get():
                place.set_result(Turn(self, key, None, landed=False))
            else:
                flight.waiting.append(place)
        return place

    def _land(self, key: Hashable, flight: _Flight[T], value: T) -> None:
        with self._lock:
            del self._flights[key]
        for place in flight.waiting:
            turn = Turn(self, key, None, landed=True)
            turn._value = value
            _fill(place, turn)

    def _hand_over(self, key: Hashable, flight: _Flight[T]) -> None:
        while True:
            with self._lock:
                if not flight.waiting:
                    del self._flights[key]
                    return
                place = flight.waiting.popleft()
            if _fill(place, Turn(self, key, flight, landed=False)):
                return


def _fill(place: Future[Turn[T]], turn: Turn[T]) -> bool:
    """Give a waiting caller its turn; False if it has gone."""
    if not place.set_running_or_notify_cancel():
        return False
    place.set_result(turn)
    return True


def _give_up(place: Future[Turn[Any]]) -> None:
    # A caller may be cancelled in the moment in which it is given the lead: pass that on.
    if not place.cancel():
        place.result().leave()


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
