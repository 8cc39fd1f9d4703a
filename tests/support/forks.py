"""Does something in a forked child, and tells what came of it."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable

PATIENCE = 30
"""Seconds after which a child that hangs is ended by SIGALRM."""


def in_child(work: Callable[[], object]) -> None:
    """Call *work* in a forked child of this process, and wait for it.

    Raises:
        AssertionError: *work* raised, or hung.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        error = said.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, error or f"the child ended with {code}"
