"""Questions at the terminal, where somebody sits there while the run goes."""

from __future__ import annotations

import contextvars
import json
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..engine import Answer
from ..errors import AnswerRefused
from ..hosting import who_is_here
from ..people import Question, fitting, question_of
from ..types import Decision, Interrupt, RunInfo
from .output.live import flush_output
from .output.questions import words_of
from .output.screen import Screen

_KEYS: Mapping[str, Decision] = {"a": "approve", "e": "edit", "r": "reject", "s": "respond"}
_NAMES: Mapping[Decision, str] = {
    "approve": "[a]pprove",
    "edit": "[e]dit",
    "reject": "[r]eject",
    "respond": "re[s]pond",
}


class Prompter:
    """Puts questions to the person at the terminal, one at a time.

    They leave a question open with an empty line or Ctrl-D: the run then waits, and can be answered
    from anywhere. After that no further question of the same run is put to them.

    Args:
        screen: Where to write; answers are read from standard input.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._lock = threading.Lock()
        self._has_left = False

    def __call__(self, interrupt: Interrupt, run: RunInfo) -> Answer | None:
        """Return what they answer, or None if they leave the question open."""
        del run
        question = question_of(interrupt)
        with self._lock:
            if self._has_left or question.is_secret or question.dialect == "hitl_batch":
                return None
            flush_output()
            mark = self._screen.paint(self._screen.marks.waiting, "yellow")
            self._screen.line(f"{mark} {words_of(question, 0)}")
            self._context(question)
            try:
                answer = self._answered(interrupt, question)
            except EOFError:
                self._screen.line()
                answer = None
            self._has_left = answer is None
            return answer

    def _context(self, question: Question) -> None:
        """Write what a framework's question is about."""
        if not isinstance(question.value, Mapping):
            return
        for part in ("task", "agent", "answer"):
            text = question.value.get(part)
            if isinstance(text, str) and text:
                self._screen.line(f"  {part}: {text}")
        if question.message and question.args is not None:
            shown = json.dumps(question.args, ensure_ascii=False, default=str)
            self._screen.line(f"  {question.name}: {shown}")

    def _answered(self, interrupt: Interrupt, question: Question) -> Answer | None:
        while True:
            said = self._decided(question) if question.allowed else self._read("> ")
            if said is None:
                return None
            try:
                fitting(interrupt, said, strict=True)
            except AnswerRefused as error:
                self._screen.line(f"  {error}")
                continue
            return Answer(said, who_is_here())

    def _decided(self, question: Question) -> Any:
        names = "  ".join(_NAMES[verb] for verb in question.allowed)
        while True:
            said = self._read(f"  {names}  (an empty line leaves it open) > ").strip().lower()
            if not said:
                return None
            verb = _KEYS.get(said, said)
            if verb in question.allowed:
                return self._completed(question, verb)
            self._screen.line(f"  {said!r} is none of them")

    def _completed(self, question: Question, verb: str) -> dict[str, Any]:
        if verb == "edit":
            return {"type": "edit", "args": self._edited(question)}
        if verb == "reject":
            message = self._read("  why (the model is told) > ").strip()
            return {"type": "reject", "message": message} if message else {"type": "reject"}
        if verb == "respond":
            return {"type": "respond", "message": self._read("  the result > ")}
        return {"type": verb}

    def _edited(self, question: Question) -> Any:
        """Read changed arguments: one ``name=value``, several in as many lines, or all as JSON."""
        args = dict(question.args or {})
        while True:
            said = self._read("  name=value, or all as {…}; an empty line ends it > ").strip()
            if not said:
                return args
            name, equals, text = said.partition("=")
            try:
                if said.startswith("{"):
                    return json.loads(said)
                value = json.loads(text)
            except ValueError:
                value = text
            if equals and name.strip():
                args[name.strip()] = value
            else:
                self._screen.line(f"  {said!r} is no argument")

    def _read(self, prompt: str) -> str:
        """Read a line outside of the run: this is no question of the program's own."""
        sys.stderr.write(prompt)
        sys.stderr.flush()
        read: Callable[[], str] = input
        return contextvars.Context().run(read)


def prompter_here(screen: Screen) -> Prompter | None:
    """Return what asks the person at this terminal; None if there is no terminal."""
    try:
        is_here = sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):  # a stream that is not there, or closed
        return None
    return Prompter(screen) if is_here else None
