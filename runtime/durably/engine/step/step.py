"""One step: is it recorded, may it run, and what becomes of its outcome.

Sync and async call sites share this; they differ only in how they call and how they wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ...errors import DurablyError, EncodeError, ProgramChanged, Suspended
from ...journal import NO_BLOBS, Pace
from ...journal.records import FAILED, OK, StepAttempted, StepEnded, StepStarted
from ...types import StepInfo, StepPolicy, TimeoutPolicy, retry_delay
from ..call import Call
from ..gates import Served
from ..options import Stored
from ..replay.fingerprint import packed_form, print_of
from ..replay.known_leaf import known_leaf
from ..replay.lane import Lane, Leaf, inner_lane, inside, leaf_stem, line_here, line_now, segments
from ..replay.recorded_steps import EFFECTS, Held, Slot
from ..replay.same_request import differing, matched, not_recorded
from ..run.equal_effects import tell_equal
from ..run.run import FailedStep, Run
from ..run.unmet_effects import leave
from .outcome import place_of, priced, split_request, unwritable

_SPLIT = 1024


class Step:
    """A step that the program has come to.

    Attributes:
        cached: Whether the value was served from a cache; set by who executes it.
        packed: Its request, as it is recorded.
        held: Its recorded outcome, or None if it has to be executed.
        terms: What is put around it, resolved.
        policy: The fields of the terms.
        is_in_time: Whether the program came to it before a question beside it was open, or together
            with a step that it came to before.
        line: Who executes it, once it has begun, if that matters.
        model: The model that was called in the place of the call's own, if one was.
        is_altered: Whether something else was done than its request says.
        is_done: Whether it has an outcome that is no failure, in this process.
        is_ended: Whether its outcome is recorded, or is being recorded.
        stored: The outcome as the journal keeps it, once the step has one.
        usage: What it took, once it has an outcome: tokens, and the cost where it is known.
        is_new_effect: Whether it is an effect that the journal does not hold, and that must be
            compared with recorded ones before it is executed.
        effect_number: How many effects of its lane the program had come to before.
        known_lane: Path of the recorded lane inside it, where that is another than its request's.
        in_place: Whether those that were finished beside it, and before it, are back.
    """

    # Most steps leave most of these as they are.
    _attempts = _first = 0
    _overlapped = cached = in_place = is_altered = is_done = is_ended = False
    is_new_effect = _is_in_branch = _was_begun = False
    effect_number = 0
    known_lane = ""
    model = ""
    _request: Stored | None = None
    stored: Any = None
    usage: Mapping[str, Any] | None = None

    def __init__(self, run: Run, lane: Lane, call: Call) -> None:
        self.run = run
        self.call = call
        self._lane = lane
        self.terms = run.options.terms(call, lane.agent)
        self.policy: StepPolicy = self.terms.policy
        self.packed, self._is_plain = packed_form(call.request)
        print_ = print_of(self.packed)
        with run.lock:
            slot = self.slot = lane.slot(call.kind, call.name, print_)
            line = self.line = line_here() if call.kind == "task" else None
            is_beside = line != lane.home and not lane.is_home(line)
            is_new = run.past.is_blank
            self.held: Held | None = None if is_new else self._recorded(slot)
            if self.held is None:
                self._overlapped = is_beside or bool(lane.active)
                if not is_new:
                    if run.past.is_outcome_of(slot):
                        self.slot = run.past.vacant(slot, [one.slot for one in tuple(lane.active)])
                    self._differ()
            if self.held is None:
                if len(lane.active) == 1:  # of several, each has been marked when the next came
                    for other in tuple(lane.active):  # it may be leaving
                        other._overlapped = True
                lane.enter(self)
        if run.past.proposed and self.inner in run.past.proposed:
            self._keep_waiting_for_people()
        # Begun before a question beside it, or together with what was, it is finished.
        self.is_in_time = lane.is_calling or not run.stopping

    def _recorded(self, slot: Slot) -> Held | None:
        """Return the recorded outcome of this request, and claim it."""
        run = self.run
        try:
            found = matched(run, self.call, slot, self.packed, self._lane.instead)
        except DurablyError as error:
            run.stop(error)
        if found is None:
            return None
        if found.differences:
            self._tell_changed("replay", found.differences)
        return found.held

    def _differ(self) -> None:
        """Settle a request that the journal does not hold, as far as that can be done now."""
        run, call = self.run, self.call
        is_effect = call.kind in EFFECTS and not call.pure
        if run.past.lanes:
            self.known_lane = known_leaf(run, call, self.slot, self.packed)
            self._was_begun = run.past.lanes.knows(self.inner)
        if not run.past.has_left and not self._lane.instead and not run.past.lanes:
            return
        self.effect_number = self._lane.effects - 1
        action = self.policy.on_change or run.options.on_change
        self.is_new_effect = is_effect and action != "rerun"
        if self.is_new_effect:
            self._is_in_branch = not self._lane.is_home(line_here())
        left = run.past.left(self.slot)
        if not left:
            return
        found = differing(run, self.packed, left[0])
        if action == "error":
            run.stop(ProgramChanged(f"{self.place}: {not_recorded(found)}"))
        if action == "replay" and not self._overlapped:
            self.held = left[0]
            run.past.claim(left[0])
            self._tell_changed("replay", found)
        elif not self.is_new_effect or run.program_changed():
            self._tell_changed("rerun", found)

    def _tell_changed(self, action: str, found: list[str]) -> None:
        self.run.tell(self.run.options.listeners.step_changed, self.info(), action, found)

    @property
    def place(self) -> str:
        """The step and its place, for messages."""
        call = self.call
        return place_of(self.run.id, self.slot.lane, call.kind, call.name)

    @property
    def is_beside(self) -> bool:
        """Whether it was begun beside others of its lane, so that its number says nothing."""
        return self._overlapped

    @property
    def may_have_siblings(self) -> bool:
        """Whether others were begun beside it, or may be any moment: a branch has come to it."""
        return self._overlapped or self._is_in_branch

    @property
    def lane_instead(self) -> tuple[str, ...]:
        """Recorded lanes that stood at the place of the step's lane, and were not entered."""
        return self._lane.instead

    def serve_recorded(self, held: Held) -> Any:
        """Return a recorded outcome that a person called the same call's.

        Raises:
            Exception: The recorded failure.
        """
        self.run.past.claim(held)
        self.held = held
        self._lane.leave(self)
        return self.replay()

    def adopt(self, leaf: str) -> None:
        """Let the lane inside the step be a recorded one: what was recorded there is found."""
        self.run.past.lanes.claim(leaf)
        self.known_lane, self._was_begun = leaf, True

    @property
    def agent(self) -> str:
        """Name of the agent whose turn the step belongs to; empty if there is none."""
        return self._lane.agent

    @property
    def inner(self) -> str:
        """Path of the lane for what happens inside it."""
        return self.known_lane or inner_lane(self.slot)

    @property
    def leaf(self) -> Leaf:
        """The content of the lane inside the step."""
        call = self.call
        return Leaf(leaf_stem(call.kind, call.name), self.slot.print, self.packed)

    def _keep_waiting_for_people(self) -> None:
        """Have a step that a person was asked about wait for them, whatever the rules say now."""
        approval = self.run.options.approval
        if approval is not None:
            self.terms = self.terms.with_gate(approval)

    def info(self, **changes: Any) -> StepInfo:
        """Return the step as listeners see it."""
        call, run = self.call, self.run
        info = StepInfo(
            run.id, run.info.thread, self.slot.lane, call.kind, call.name, call.label or call.name
        )
        return info._replace(**changes) if changes else info

    def replay(self, *, in_pieces: bool = False) -> Any:
        """Return the recorded value, or raise the recorded failure.

        Args:
            in_pieces: The run's time does not go on yet: the value's pieces came before its end.
        """
        held, run, call = self.held, self.run, self.call
        assert held is not None
        assert run.log is not None
        step = held.step
        with run.lock:
            run.replayed += 1
            run.stir()
            if not in_pieces or step.outcome == FAILED:
                run.tick(step)
        if run.options.listeners.step_replayed:
            seen = self.info(
                attempt=step.attempts, elapsed=step.elapsed, usage=step.usage, cached=step.cached
            )
            run.tell(run.options.listeners.step_replayed, seen)
        if run.sink is not None:
            self._emit_task(input=call.label or call.request, replayed=True)
        try:
            value = run.log.value(step.value, hint=call.hint)
        except DurablyError as error:
            run.stop(error)  # a framework would take it for the step's own failure
        if step.outcome == FAILED:
            run.note_failure(value, FailedStep(held.seq, step.lane, self.inner, is_replayed=True))
            raise value
        return call.load(value) if call.load is not None else value

    @property
    def attempt(self) -> int:
        """Which attempt is under way, from 1."""
        return self._attempts + 1

    @property
    def timeout(self) -> TimeoutPolicy | None:
        """How long one attempt may take."""
        return self.policy.timeout

    def refuse(self, error: Exception) -> NoReturn:
        """Fail the step without executing it.

        Raises:
            Exception: *error*.
        """
        self.begin(announce=False)
        self.fail(error)
        raise error

    def begin(self, *, announce: bool = True) -> None:
        """Enter the step for real.

        Raises:
            Suspended: The run is being suspended, or its journal failed.
        """
        run = self.run
        self._check()
        if self._lane.leaf is not None:
            run.enter_lane(self._lane)
        if self.line is not None:
            self.line = line_now(self.line)
        if len(self.packed) > _SPLIT:
            self._request = split_request(run, self.call, self.packed, is_plain=self._is_plain)
        run.busy.add(self)
        self._started, self._t0 = run.clock.now(), run.clock.monotonic()
        if run.past.attempts:
            self._attempts = run.past.attempts.get(self.slot.exact, 0)
            if self._attempts and self._has_asked():
                self._first = self._attempts
        if announce:
            if self.is_effect:
                self._mark()
            self.announce()

    def _has_asked(self) -> bool:
        """Say whether it came to a question, so that its attempts are counted anew behind it."""
        return any(inside(asked.lane, self.inner) for asked in self.run.past.asked.values())

    @property
    def has_begun(self) -> bool:
        """Whether it was entered for real."""
        return hasattr(self, "_started")

    @property
    def is_effect(self) -> bool:
        """Whether it is recorded that it begins."""
        return self.call.effect or self.policy.effect == "once"

    def started(self) -> StepStarted:
        """Return the record that an effect is about to begin."""
        return StepStarted(
            *self.slot, at=self._started, label=self.call.label, request=self._request_body
        )

    @property
    def _request_body(self) -> bytes:
        """The request as a start marker holds it; a large one is told by its outcome alone."""
        return self.packed if len(self.packed) <= _SPLIT else b""

    def _check(self) -> None:
        """Raise Suspended if the step may not begin."""
        run, deadline = self.run, self._lane.deadline
        if not self.is_in_time or run.failure is not None or run.over:
            run.check()
        if deadline is not None:
            if deadline.is_over:
                raise Suspended(f"{self.call.name} was called by an attempt that was given up")
            deadline.beat()

    def _mark(self) -> None:
        try:
            self.run.append(self.started(), barrier=True)
        except BaseException:
            self.abandon()
            raise

    def announce(self) -> None:
        """Tell listeners and streams that it begins."""
        run = self.run
        if run.options.listeners.step_started:
            run.tell(run.options.listeners.step_started, self.info(attempt=self.attempt))
        if run.sink is not None:
            self._emit_task(input=self.call.label or self.call.request)

    def retry_in(self, error: Exception) -> float | None:
        """Return the seconds to wait before another attempt, or None if *error* is final."""
        self._attempts += 1
        delay = retry_delay(self.policy.retry, self._attempts - self._first, error)
        if delay is not None:
            self.attempted(error, delay)
        return delay

    def attempted(self, error: Exception, delay: float) -> None:
        """Record a failed attempt that another is to follow in *delay* seconds."""
        run, slot = self.run, self.slot
        now = run.clock.now()
        said = f"{type(error).__name__}: {error}"
        run.append(
            StepAttempted(*slot[:3], slot.print, slot.nth, self._attempts, now, now + delay, said)
        )
        # What was finished inside is met again by the next attempt, and what failed is not.
        run.past.enter_again(self.inner, run.failed_in(error))
        run.tell(run.options.listeners.step_retried, self.info(), error, delay)

    def finish(self, value: Any) -> Any:
        """Record the value, and only then return it."""
        self.came_to(value)
        return self._finished(value)

    def came_to(self, value: Any) -> None:
        """Take note of what the execution returned."""
        call = self.call
        self._attempts += 1
        if call.usage is not None:
            self.usage = priced(self.run, call, call.usage(value), self.model)
        self.stored = call.dump(value) if call.dump is not None else value

    def serve(self, served: Served) -> Any:
        """Record a value that stands in for executing the step, and return it."""
        call = self.call
        self.begin(announce=False)
        self.cached, self.usage = served.is_cached, served.usage
        if not served.is_stored:
            self.stored = call.dump(served.value) if call.dump is not None else served.value
            return self._finished(served.value)
        self.stored = served.value
        return self._finished(call.load(served.value) if call.load is not None else served.value)

    def _finished(self, value: Any) -> Any:
        try:
            self._record(OK, self.stored)
            self.is_done = True
        finally:
            self.abandon()
        return self.told(value)

    def told(self, value: Any) -> Any:
        """Tell listeners and streams that it is finished; return *value*."""
        run = self.run
        if run.options.listeners.step_finished:
            run.tell(run.options.listeners.step_finished, self._ended_info(self.usage), None)
        if run.sink is not None:
            update = {self.call.name: value}
            if self.cached:
                update["__metadata__"] = {"cached": True}
            run.sink("updates", self._namespace, update)
            self._emit_task(result=value, error=None)
        if self.slot.nth:
            tell_equal(run, self.call, self.slot)
        if self._was_begun:
            leave(run, self.inner)
        return value

    def fail(self, error: Exception) -> None:
        """Record a failure that nothing more is tried against."""
        try:
            row = self._record(FAILED, error)
        finally:
            self.abandon()
        self.told_failed(error, row)

    def told_failed(self, error: Exception, row: int) -> None:
        """Let the run know, and listeners and streams, that it failed; *row* holds the failure."""
        run = self.run
        if self.policy.retry is not None:
            run.past.given_up.add(row)
        run.note_failure(error, FailedStep(row, self.slot.lane, self.inner, is_replayed=False))
        if run.options.listeners.step_finished:
            run.tell(run.options.listeners.step_finished, self._ended_info(None), error)
        if run.sink is not None:
            self._emit_task(result=None, error=f"{type(error).__name__}: {error}")

    @property
    def is_alone(self) -> bool:
        """Whether nothing is under way beside it."""
        return len(self._lane.active) <= 1 and self.run.is_alone

    @property
    def is_deferred(self) -> bool:
        """Whether a coroutine better awaits its record than writes it where it is."""
        run = self.run
        return run.pace is not Pace.FREE and not run.spares(run.pace, is_alone=self.is_alone)

    def left_lane(self) -> None:
        """Be in nobody's way any more: what begins from now on does not run beside this."""
        self._lane.leave(self)

    def abandon(self) -> None:
        """Leave the step without an outcome: it was cancelled, or the run is being suspended."""
        run, lane = self.run, self._lane
        if lane.deadline is not None:
            lane.deadline.beat()
        lane.leave(self)
        run.busy.discard(self)
        run.stir()

    @property
    def _namespace(self) -> tuple[str, ...]:
        return segments(self.slot.lane)

    def _emit_task(self, **data: Any) -> None:
        """Hand a part of mode ``tasks`` to whoever streams the run."""
        call, run = self.call, self.run
        if run.sink is not None:
            part = {"id": self.inner, "name": call.name, "kind": call.kind, **data}
            run.sink("tasks", self._namespace, part)

    def _ended_info(self, usage: Mapping[str, Any] | None) -> StepInfo:
        elapsed = self.run.clock.monotonic() - self._t0
        return self.info(attempt=self._attempts, elapsed=elapsed, usage=usage, cached=self.cached)

    def _record(self, outcome: int, value: Any) -> int:
        run = self.run
        run.executed += 1
        return 0 if run.log is None else run.append_step(*self.ended(outcome, value))

    def ended(self, outcome: int, value: Any) -> tuple[StepEnded, Mapping[bytes, bytes]]:
        """Return the record of its outcome, and the parts that this refers to."""
        run, call, slot = self.run, self.call, self.slot
        self.is_ended = True
        usage = self.usage if outcome == OK else None
        try:
            body, blobs = run.codec.split(value, hint=call.hint)
        except EncodeError as error:
            body, blobs = unwritable(run, call, slot.lane, value, error)
        request, more = self._request or (self.packed, NO_BLOBS)
        lane, kind, name, ordinal, print_, nth = slot
        ended = StepEnded(
            lane,
            kind,
            name,
            ordinal,
            print_,
            nth,
            outcome,
            self._started,
            run.clock.monotonic() - self._t0,  # elapsed
            self._attempts,
            body,
            request,
            self._overlapped,
            call.label,
            dict(usage) if usage else None,
            self.cached,
            call.adapter,
            self._lane.agent,
            call.pure,
            self.known_lane,
        )
        return ended, {**blobs, **more} if more else blobs
