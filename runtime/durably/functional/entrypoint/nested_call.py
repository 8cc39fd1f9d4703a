"""Entrypoints called by others: a part of the run around the call, not runs of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from ...engine import Call, Scope
from ...errors import ResumeError, Suspended
from ...hosting import place_of
from ...journal.records import Saved
from ...types import Command
from ..frame import Frame, running_loop
from ..state.history import saved_before
from ..streams.lane_namespaces import SEGMENT, Lanes
from ..streams.parts import Teller
from ..streams.tee import tapped
from ..tasks.cancellations import record
from .execution import Body
from .nested_result import NestedResult, Unkept


class Nested:
    """One call of an entrypoint inside a run.

    Called by another entrypoint, the call is a step of that one, whose value is what the
    entrypoint returns: once it has returned, a continuation does not execute it again. What it does
    lies in a lane of its own.

    Args:
        body: The entrypoint.
        scope: Where it is called.
        given: Its input.
        config: The config it is called with; what it does not say is the caller's.
        context: Its context; the caller's if None.
        teller: The stream that the caller makes of it, if it does. The caller consumes its parts,
            so the entrypoint is executed again for them, and its finished steps are replayed.

    Raises:
        ResumeError: The input is a ``Command``: questions are answered through the caller.
    """

    def __init__(  # noqa: PLR0917 - what a call is given, in invoke's order
        self,
        body: Body,
        scope: Scope,
        given: Any,
        config: Mapping[str, Any] | None = None,
        context: Any = None,
        teller: Teller | None = None,
    ) -> None:
        if isinstance(given, Command):
            raise ResumeError(
                f"entrypoint {body.name!r} is called inside run {scope.run.id}, and its questions "
                "are asked by that run: answer them there, by invoking the outermost entrypoint "
                "with the Command"
            )
        self.body = body
        self.scope = scope
        self.given = given
        self.config = config
        self.context = context
        self.teller = teller
        record(scope.run)
        self._result: NestedResult | Unkept = Unkept()
        if isinstance(scope.local, Frame):
            self._result = NestedResult(scope, body, given, context, place_of(config))
        self._inner = scope.child(f"{SEGMENT}{body.name}", given=given)

    def run(self) -> Any:
        """Return what the entrypoint returns to its caller.

        Raises:
            TypeError: It is a coroutine function.
        """
        body, result = self.body, self._result
        if body.is_async:
            raise TypeError(f"entrypoint {body.name!r} is a coroutine function: use ainvoke")
        if result.is_known and self.teller is None:
            self._inner.pass_over()
            return result.replayed()
        with result.begun(), self._entered() as inner:
            frame = _frame_of(inner)
            value = self._ended(inner, body.attempts(inner, frame, self.given, self._heard()))
        result.keep(value)
        self._inner.leave()
        return value

    async def arun(self) -> Any:
        """Like :meth:`run`, for coroutine functions too; a plain function runs in a thread."""
        body, result = self.body, self._result
        if result.is_known and self.teller is None:
            self._inner.pass_over()
            return result.replayed()
        with result.begun(), self._entered() as inner:
            frame = _frame_of(inner)
            frame.around = running_loop()
            call = (inner, frame, self.given, self._heard())
            if body.is_async:
                returned = await body.aattempts(*call)
            else:
                returned = await asyncio.to_thread(body.attempts, *call)
            value = self._ended(inner, returned)
        await result.akeep(value)
        self._inner.leave()
        return value

    def _heard(self) -> Mapping[str, Any] | None:
        """Return the config whose callbacks hear of the call, besides those around it."""
        if self.teller is None:
            return self.config
        config = dict(self.config or {})
        self.teller.heard_by(config)
        return config

    @contextmanager
    def _entered(self) -> Generator[Scope]:
        """Enter the entrypoint's lane, and tell the streams and listeners of it."""
        name, inner = self.body.name, self._inner
        inner.announce("entrypoint", name)
        try:
            with inner.entered(), self._told(inner):
                yield inner
        except BaseException as error:
            inner.conclude("entrypoint", name, error)
            raise
        inner.conclude("entrypoint", name, None)

    @contextmanager
    def _told(self, inner: Scope) -> Generator[None]:
        """Tell the streams how the entrypoint begins, and of what is not its end."""
        body, run, lanes = self.body, self.scope.run, _lanes(inner)
        if self.teller is not None:
            self.teller.is_about(run.id, body.name, lanes)
        inner.local = frame = self._frame(inner)
        with tapped(run, self.teller.take) if self.teller is not None else nullcontext():
            for teller in frame.tellers:
                teller.began(body.name, self.given, lanes=lanes)
            try:
                yield
            except Suspended:
                for teller in frame.tellers:
                    teller.waits(body.name, tuple(run.pending.values()), lanes)
                raise
            except Exception as error:
                for teller in frame.tellers:
                    teller.failed(body.name, error, lanes)
                raise

    def _frame(self, inner: Scope) -> Frame:
        body, setup = self.body, self.body.setup
        store = setup.resources.store
        outer = inner.local if isinstance(inner.local, Frame) else Frame(body.name)
        frame = Frame(
            body.name,
            config=_merged(outer.config, self.config or {}),
            context=body.context(self.context) if self.context is not None else outer.context,
            store=store if store is not None else outer.store,
            cache=body.cache(inner.run) or outer.cache,
            control=outer.control,
            retry=setup.retry,
            caching=setup.caching,
            namespace=(*outer.namespace, f"{body.name}:{inner.run.id}"),
            around=outer.around,
            tellers=(*outer.tellers, self.teller) if self.teller is not None else outer.tellers,
        )
        if setup.checkpointer is True:
            recall = Call("task", "previous", body.entry)
            frame.previous = inner.step(recall, lambda: saved_before(inner.run, body.entry))
        return frame

    def _ended(self, inner: Scope, returned: Any) -> Any:
        """Keep what the entrypoint is to remember, and return what its caller gets."""
        body = self.body
        value, save = body.parted(returned)
        if body.setup.checkpointer is True and not inner.run.stopping:
            inner.step(Call("task", "save", body.entry), lambda: self._save(inner, save))
        for teller in _frame_of(inner).tellers:
            teller.done(body.name, value, lanes=_lanes(inner))
        return value

    def _save(self, inner: Scope, save: Any) -> None:
        body, blobs = inner.run.codec.split(save)
        inner.run.append(Saved(inner.run.clock.now(), body, self.body.entry), blobs=blobs)


def _frame_of(scope: Scope) -> Frame:
    assert isinstance(scope.local, Frame)
    return scope.local


def _lanes(scope: Scope) -> Lanes:
    return tuple(scope.lane.path.split("/"))


def _merged(outer: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the caller's config with what the call says besides."""
    return {
        **outer,
        **given,
        "configurable": {**place_of(outer), **place_of(given)},
        "metadata": {**(outer.get("metadata") or {}), **(given.get("metadata") or {})},
        "tags": [*(outer.get("tags") or ()), *(given.get("tags") or ())],
    }
