"""What a nested entrypoint returned, recorded as a step of its caller."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from ...engine import Call, Scope
from ...errors import DurablyError, EncodeError
from ...journal.records import OK
from ..streams.lane_namespaces import SEGMENT
from .execution import Body

_PLACE = frozenset({"thread_id", "checkpoint_id", "checkpoint_ns"})


class Unkept:
    """Stands for the record of a call that is executed again with the program around it.

    A script prints what it prints: an entrypoint that it calls is a part of it like any function.
    """

    is_known = False

    def replayed(self) -> Any:
        """Return the recorded value; there is none."""
        raise AssertionError("nothing is kept")

    def begun(self) -> AbstractContextManager[None]:
        """Do nothing around the block."""
        return nullcontext()

    def keep(self, value: Any) -> None:
        """Record nothing."""

    async def akeep(self, value: Any) -> None:
        """Record nothing."""


class NestedResult:
    """The record of one call's value; none is made of a failure.

    Listeners and streams hear of the entrypoint itself, and not of this step.

    Args:
        scope: Where the entrypoint is called.
        body: The entrypoint.
        given: Its input.
        context: The context that the call gives, if it does.
        place: What the call's config says besides the caller's.
    """

    def __init__(
        self, scope: Scope, body: Body, given: Any, context: Any, place: Mapping[str, Any]
    ) -> None:
        request = {"entry": body.entry, "input": given}
        more = {"context": context, "configurable": _told(place)}
        request |= {name: value for name, value in more.items() if value}
        self._run = scope.run
        self._step = scope.open(Call("task", f"{SEGMENT}{body.name}", request, label=body.name))

    @property
    def is_known(self) -> bool:
        """Whether the journal holds the value of this very call."""
        held = self._step.held
        return (
            held is not None
            and held.step.outcome == OK
            and held.step.print == self._step.slot.print
        )

    def replayed(self) -> Any:
        """Return the recorded value."""
        run, held = self._run, self._step.held
        assert held is not None
        assert run.log is not None
        with run.lock:
            run.stir()
            run.tick(held.step)
        try:
            return run.log.value(held.step.value)
        except DurablyError as error:
            run.stop(error)

    @contextmanager
    def begun(self) -> Generator[None]:
        """Have the step be under way; where the block fails, it has no outcome.

        Raises:
            Suspended: The run is being suspended.
        """
        self._step.begin(announce=False)
        self._run.busy.discard(self._step)  # what is inside is under way, or not
        try:
            yield
        except BaseException:
            self._step.abandon()
            raise

    def keep(self, value: Any) -> None:
        """Record the value. One that cannot be written is computed again by a continuation."""
        if not self._is_kept(value):
            return
        try:
            self._run.append_step(*self._step.ended(OK, value))
        finally:
            self._step.abandon()

    async def akeep(self, value: Any) -> None:
        """Like :meth:`keep`; the event loop goes on where the journal is slow."""
        if not self._step.is_deferred:
            self.keep(value)
        elif self._is_kept(value):
            try:
                ended, blobs = self._step.ended(OK, value)
                await self._run.aappend(ended, blobs=blobs)
            finally:
                self._step.abandon()

    def _is_kept(self, value: Any) -> bool:
        run = self._run
        if run.log is None or self.is_known or run.stopping:
            self._step.abandon()
            return False
        try:
            run.codec.split(value)
        except EncodeError:
            self._step.abandon()
            return False
        return True


def _told(place: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a config's ``configurable`` says that changes what the entrypoint does."""
    return {
        key: value for key, value in place.items() if key not in _PLACE and not key.startswith("__")
    }
