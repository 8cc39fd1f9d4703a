"""The lines that ``durably run`` writes while a run goes."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine import shown_lane
from ...listeners import Listener
from ...types import Interrupt, RunInfo, StepInfo
from .questions import text_of
from .screen import Screen
from .text import counted, duration, money, number, one_line, padded, tokens

_RIGHT = 30
_LEAST_LABEL = 20
_SHOWN_UNMET = 5
_INSIDE_STEP = re.compile(r"~[0-9a-f]{16}(#\d+)?$")


@dataclass(slots=True)
class Totals:
    """What was done and what was spared, for the last line.

    Attributes:
        executed: Steps executed by this process.
        replayed: Steps whose outcome came from the journal.
        paid: Tokens used.
        spared: Tokens that replayed steps had used.
        cost: USD paid, as far as prices are known.
        cached: Steps that a cache served.
        saved: USD that replayed and cached steps had cost.
    """

    executed: int = 0
    replayed: int = 0
    paid: int = 0
    spared: int = 0
    cost: float = 0.0
    cached: int = 0
    saved: float = 0.0

    def __str__(self) -> str:
        parts = [counted(self.executed + self.replayed, "step")]
        if self.replayed:
            parts[0] += f", {self.replayed} replayed"
        if self.cached:
            parts[0] += f", {self.cached} cached"
        if self.paid or self.spared:
            parts.append(f"{number(self.paid)} tokens used")
        if self.spared:
            parts[-1] += f", {number(self.spared)} not paid again"
        if self.cost or self.saved:
            parts.append(money(self.cost))
        if self.saved:
            parts[-1] += f", {money(self.saved)} saved"
        return "   ".join(parts)


class Live(Listener):
    """Writes one line for each step of a run, under headings for the spans around it.

    Headings are written when the first step inside them is, so that an interleaving of parallel
    branches reads as what it is. The program's own output is flushed first: the order is kept.

    Args:
        screen: Where to.
        title: What is run.
        journal: Where its journal is, for people.
    """

    def __init__(self, screen: Screen, title: str, journal: str) -> None:
        self.totals = Totals()
        self._screen = screen
        self._marks = screen.marks
        self._title = title
        self._journal = journal
        self._spans: dict[str, str] = {}
        self._shown: list[str] = []
        self._lock = threading.Lock()
        self._unmet = 0

    def run_started(self, run: RunInfo) -> None:
        """Write the heading."""
        paint, marks = self._screen.paint, self._marks
        what = "new run"
        if run.resumed:
            steps = counted(run.recorded, "finished step is", "finished steps are")
            what = f"continuing: {steps} in the journal" if run.recorded else "beginning again"
        mark = marks.again if run.resumed else marks.begin
        head = f"{paint(mark, 'cyan')} {paint(run.run, bold=True)}  {self._title}  {what}"
        with self._writing():
            self._screen.line(f"{head}   {paint(f'journal {self._journal}', dim=True)}")

    def span_started(self, lane: str, kind: str, name: str) -> None:
        """Keep the heading until something happens under it."""
        self._spans[lane] = kind if name in ("", kind) else f"{kind} {name}"

    def step_finished(self, step: StepInfo, error: BaseException | None) -> None:
        """Write a step's line."""
        totals = self.totals
        totals.executed += 1
        if step.cached:
            totals.cached += 1
            totals.spared += _sum(step.usage)
            totals.saved += _cost(step.usage)
            self._step(step, self._marks.replayed, "blue", "cached")
            return
        totals.paid += _sum(step.usage)
        totals.cost += _cost(step.usage)
        if error is None:
            self._step(step, self._marks.done, "green", duration(step.elapsed))
            return
        self._step(step, self._marks.failed, "red", duration(step.elapsed))
        self._below(step, f"{type(error).__name__}: {error}")

    def step_replayed(self, step: StepInfo) -> None:
        """Write a replayed step's line."""
        self.totals.replayed += 1
        self.totals.spared += _sum(step.usage)
        self.totals.saved += _cost(step.usage)
        self._step(step, self._marks.replayed, "blue", "replayed")

    def step_retried(self, step: StepInfo, error: BaseException, delay: float) -> None:
        """Say why a step is tried again."""
        self.retried(step, f"{type(error).__name__}: {error}", delay)

    def retried(self, step: StepInfo, error: str, delay: float) -> None:
        """Say the same of an error that is there in words only."""
        self._step(step, self._marks.warning, "yellow", f"again in {duration(delay)}")
        self._below(step, error)

    def step_changed(self, step: StepInfo, action: str, differences: list[str]) -> None:
        """Say what differs from the journal, and what is done about it."""
        done = "recorded outcome used" if action == "replay" else "executed again"
        self._step(step, self._marks.warning, "yellow", done)
        self._below(step, "not the request in the journal")
        for line in differences:
            self._below(step, f"  {line}")

    def effect_repeated(self, step: StepInfo) -> None:
        """Warn of an effect that may happen twice."""
        self._step(step, self._marks.warning, "yellow", "done again")
        self._below(step, "it began when the last process died, and its outcome is not known")

    def effect_unmet(self, step: StepInfo, row: int, request: Any) -> None:
        """Write the line of an effect that the program did not come to again, of some of them."""
        self._unmet += 1
        if self._unmet > _SHOWN_UNMET:
            return
        self._step(step, self._marks.warning, "yellow", "not met")
        place = f"row {row}, in {shown_lane(step.lane)}" if step.lane else f"row {row}"
        self._below(step, f"the journal holds it ({place}), and the program has not come to it")
        self._below(step, "  " + json.dumps(request, ensure_ascii=False, default=str))

    def effect_ambiguous(self, step: StepInfo, rows: list[int]) -> None:
        """Say that only its order tells an effect from another one, and the way out."""
        self._step(step, self._marks.warning, "yellow", "equal calls")
        found = f" (rows {', '.join(map(str, rows))})" if rows else ""
        self._below(step, f"only their order tells this call from equal ones in its place{found}")
        self._below(step, "put what tells them apart, such as a customer, into the arguments")

    def run_ended(self, run: RunInfo, status: str, error: BaseException | None) -> None:
        """Count the effects of which no line told that the program did not come to them."""
        del status, error
        more = self._unmet - _SHOWN_UNMET
        if more > 0:
            said = f"{counted(more, 'more effect')} not met; durably show {run.run} lists them"
            with self._writing():
                self._screen.line(f"  {self._screen.paint(self._marks.warning, 'yellow')} {said}")

    def interrupted(self, run: RunInfo, interrupt: Interrupt) -> None:
        """Write a question's line."""
        del run
        asked = StepInfo("", "", "", "human", "", text_of(interrupt.value))
        self._step(asked, self._marks.waiting, "yellow", "waits")

    def _step(self, step: StepInfo, mark: str, color: str, right: str) -> None:
        with self._writing():
            indent = self._headings(step.lane)
            room = max(_LEAST_LABEL, self._screen.width - _RIGHT - len(indent) - 9)
            label = padded(one_line(step.label or step.name, room), room)
            used = tokens(step.usage, self._marks.arrow)
            line = (
                f"{self._screen.paint(mark, color)} {step.kind:<6} {label} {used:>18}  {right:>9}"
            )
            self._screen.line(indent + line.rstrip())

    def _below(self, step: StepInfo, text: str) -> None:
        """Write a line that belongs to the step's line above it."""
        with self._writing():
            indent = self._headings(step.lane)
            self._screen.line(f"{indent}    {one_line(text, self._screen.width - len(indent) - 4)}")

    def _headings(self, lane: str) -> str:
        """Write the headings that are not above this line yet; return the line's indentation."""
        parts = lane.split("/") if lane else []
        paths = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        around = [path for path in paths if path in self._spans]
        same = 0
        while same < min(len(around), len(self._shown)) and around[same] == self._shown[same]:
            same += 1
        for depth in range(same, len(around)):
            name = one_line(self._spans[around[depth]], self._screen.width - 2 * depth - 4)
            mark = self._screen.paint(self._marks.span, "cyan")
            self._screen.line(f"{'  ' * (depth + 1)}{mark} {name}")
        self._shown = around
        inside = sum(1 for part in parts if _INSIDE_STEP.search(part))
        return "  " * (1 + len(around) + inside)

    @contextlib.contextmanager
    def _writing(self) -> Generator[None]:
        """Keep lines whole, and behind what the program has printed so far."""
        with self._lock:
            flush_output()
            yield


def flush_output() -> None:
    """Flush what the program has printed; its own troubles with that are left to it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()


def _cost(usage: Mapping[str, Any] | None) -> float:
    return float((usage or {}).get("cost") or 0.0)


def _sum(usage: Mapping[str, Any] | None) -> int:
    if not usage:
        return 0
    return sum(int(usage.get(part) or 0) for part in ("input_tokens", "output_tokens"))
