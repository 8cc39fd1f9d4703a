"""How the process of a command ends when its program has left daemon threads at work.

Up to Python 3.13 the interpreter ends a daemon thread by ``pthread_exit`` when the thread wants the
interpreter's lock back (https://github.com/python/cpython/issues/87135). That unwinds the thread's
stack, and a stack with Rust on it (pydantic, ormsgpack, tiktoken) cannot be unwound: glibc aborts
the process. A process with such threads does what the interpreter does at its end, and leaves by
``os._exit``, which stops threads where they are.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

_ENDS_THREADS_SAFELY = (3, 14)
_FLUSH_SECONDS = 5.0
_STDOUT_FAILED = 120
"""Python's own exit code where standard output could not be flushed."""

_RESTING = frozenset({"durably-leases", "durably-flusher", "durably-committer", "durably-ticker"})
"""Threads of durably's own that call nothing of the program's."""


def exit_with(command: Callable[[], int]) -> NoReturn:
    """Call *command* and end the process with the exit code that it returns.

    Raises:
        SystemExit: No daemon thread is left: the interpreter may end as ever.
    """
    try:
        code = command()
    except SystemExit as stop:
        if not _has_daemons():
            raise
        code = _code_of(stop)
    if not _has_daemons():
        sys.exit(code)
    _leave(code)


def _has_daemons() -> bool:
    """Say whether a thread is left that the interpreter's end could abort the process for."""
    if sys.version_info >= _ENDS_THREADS_SAFELY:
        return False
    me = threading.current_thread()
    return any(
        one.daemon and one is not me and one.name not in _RESTING for one in threading.enumerate()
    )


def _code_of(stop: SystemExit) -> int:
    """Do with ``sys.exit(…)`` what Python does."""
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or 0
    sys.stderr.write(f"{stop.code}\n")
    return 1


def _leave(code: int) -> NoReturn:
    """Do what the interpreter does at its end, as far as a program can tell, and exit."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    flushing = threading.Thread(target=_flush_files, name="durably-exit", daemon=True)
    flushing.start()
    flushing.join(_FLUSH_SECONDS)  # a file may be a pipe that nobody reads
    try:
        sys.stdout.flush()
    except Exception:
        code = _STDOUT_FAILED
    with contextlib.suppress(Exception):
        sys.stderr.flush()
    os._exit(code)


def _flush_files() -> None:
    """Write what open files hold back: the interpreter would close them."""
    standard = (sys.stdout, sys.stderr)
    for one in gc.get_objects():
        if (
            issubclass(type(one), io.TextIOWrapper | io.BufferedWriter | io.BufferedRandom)
            and one not in standard
        ):
            with contextlib.suppress(Exception):
                one.flush()
