"""The adapter for a program's own questions at the terminal: ``input``, ``getpass``, click, rich.

An answer typed there is a step and comes back on replay; where nobody sits at a terminal, the
question is a durable one. A secret is never written: each process asks for it itself.
"""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from types import FrameType
from typing import Any, ClassVar

from ..engine import Call, Scope, current
from ._adapter import Adapter, Seam

_DEBUGGERS = ("bdb", "code")
"""Modules whose classes read commands for the programmer, not answers for the program."""

_FROM_STDIN = "stdin"
_TOLD = {"text", "from"}

_message: ContextVar[str] = ContextVar("durably_terminal_message", default="")
"""What a library has written in front of the cursor before it reads a line."""


def _input(scope: Scope, original: Callable[..., str], prompt: object = "", /) -> str:
    """Make a question of the program's own a step."""
    if not scope.run.options.catches_input or _is_for_programmer(sys._getframe(2)):
        return original(prompt)
    reading = _Reading(original, prompt)
    if scope.within("human"):  # a framework's question, which is a step already
        return reading.execute()
    label = f"input({reading.message!r})" if reading.message else "input()"
    call = Call(
        "human",
        "input",
        {"prompt": reading.message},
        label=label,
        dump=reading.dump,
        load=reading.load,
    )
    return str(scope.step(call, reading.execute))


class _Reading:
    """One line that the program wants to read."""

    def __init__(self, original: Callable[..., str], prompt: object) -> None:
        self.message = str(prompt).strip() or _message.get().strip()
        self._original = original
        self._prompt = prompt
        self._is_from_stdin = False

    def execute(self) -> str:
        """Return the person's answer.

        Raises:
            EOFError: They ended the input.
            Suspended: Nobody is there; the question waits.
        """
        scope = current()
        assert scope is not None
        if not scope.was_asked:
            if _is_terminal() or _is_replaced():
                return self._original(self._prompt)
            line = self._redirected(scope)
            if line is not None:
                return line
        question = {"kind": "input_required", "name": "input", "message": self.message}
        return _text(scope.ask("input", question))

    def _redirected(self, scope: Scope) -> str | None:
        """Return the next line of a redirected standard input, if it has one to give now.

        Raises:
            EOFError: It is at its end, after lines that the program has read.
        """
        if not _is_ready():
            return None
        read = scope.run.resources
        line = sys.stdin.readline()
        if not line:
            if read.get(_FROM_STDIN):
                raise EOFError("EOF when reading a line")
            return None
        sys.stdout.write(str(self._prompt))
        sys.stdout.flush()
        read[_FROM_STDIN] = self._is_from_stdin = True
        return line.removesuffix("\n")

    def dump(self, value: str) -> Any:
        """Note where a line came from: a redirected input begins anew in the next process."""
        return {"text": value, "from": _FROM_STDIN} if self._is_from_stdin else value

    def load(self, stored: Any) -> str:
        """Return a recorded line, after passing over it in a redirected input."""
        if not isinstance(stored, dict) or stored.keys() != _TOLD:
            return str(stored)
        scope = current()
        if scope is not None and not _is_terminal() and not _is_replaced() and _is_ready():
            with suppress(OSError, ValueError):
                sys.stdin.readline()
            scope.run.resources[_FROM_STDIN] = True
        return str(stored["text"])


def _getpass(
    scope: Scope, original: Callable[..., str], prompt: str = "Password: ", *args: Any, **more: Any
) -> str:
    """Have a secret asked for in each process, and written in none."""
    if not scope.run.options.catches_input or _is_terminal() or _has_tty():
        return original(prompt, *args, **more)
    message = prompt.strip() or _message.get().strip()
    question = {"kind": "input_required", "name": "getpass", "message": message, "secret": True}
    return str(scope.ask("getpass", question))


def _console_input(
    scope: Scope, original: Callable[..., str], self: Any, prompt: Any = "", **options: Any
) -> str:
    """Note what rich has written before it reads a line."""
    del scope
    token = _message.set(_plain(prompt, markup=options.get("markup", True)))
    try:
        return original(self, prompt, **options)
    finally:
        _message.reset(token)


def _echoed(scope: Scope, original: Callable[..., Any], text: str, *args: Any, **more: Any) -> Any:
    """Note what click asks; older versions write it before they read a line."""
    del scope
    token = _message.set(str(text))
    try:
        return original(text, *args, **more)
    finally:
        _message.reset(token)


def _plain(prompt: Any, *, markup: bool) -> str:
    if not isinstance(prompt, str):
        return str(prompt)
    if not markup:
        return prompt
    from rich.text import Text  # it is there: it called us

    return Text.from_markup(prompt).plain


def _text(answer: Any) -> str:
    """Return an answer as what a person would have typed."""
    return answer if isinstance(answer, str) else str(answer)


def _is_terminal() -> bool:
    """Say whether somebody may sit at the standard input."""
    with suppress(AttributeError, ValueError):  # None, or closed
        return sys.stdin.isatty()
    return False


def _is_replaced() -> bool:
    """Say whether the program gave itself another standard input."""
    return sys.stdin is not None and sys.stdin is not sys.__stdin__


def _has_tty() -> bool:
    """Say whether there is a terminal past a redirected input, which ``getpass`` reads from."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except (OSError, AttributeError):
        return False
    return True


def _is_ready() -> bool:
    """Say whether reading a redirected standard input would not block; its end counts too."""
    try:
        ready, _, _ = select.select([sys.stdin], [], [], 0)
    except (OSError, ValueError, TypeError, io.UnsupportedOperation):
        return False  # closed, or a system on which this cannot be asked
    return bool(ready)


def _is_for_programmer(frame: FrameType | None) -> bool:
    """Say whether a debugger or an interactive console asks for a command."""
    asking = frame.f_locals.get("self") if frame is not None else None
    return any(cls.__module__ in _DEBUGGERS for cls in type(asking).__mro__)


_LOSES = "the program's own question is asked again after a crash"

_CLICK = "click.termui"


class TerminalAdapter(Adapter):
    """Catches what a program reads from the terminal itself, where its host was told to."""

    name: ClassVar[str] = "terminal"
    distribution: ClassVar[str] = "python"
    seams: ClassVar = (
        Seam("builtins:input", "human", _input, _LOSES),
        Seam("getpass:getpass", "human", _getpass, _LOSES, params=("prompt",)),
        Seam(f"{_CLICK}:visible_prompt_func", "human", _input, _LOSES, optional=True),
        Seam(f"{_CLICK}:prompt", "support", _echoed, "what click asks", params=("text",)),
        Seam(f"{_CLICK}:confirm", "support", _echoed, "what click asks", params=("text",)),
        Seam(
            "rich.console:Console.input",
            "support",
            _console_input,
            "what rich asks",
            params=("prompt",),
        ),
    )
