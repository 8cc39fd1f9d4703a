"""A terminal with a person at it: real pseudo-terminals for commands that look for one."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from .commands import Place

_PATIENCE = 60.0
_TAKE_THE_TERMINAL = (
    "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """One command with a terminal of its own.

    Attributes:
        seen: Everything that it has written so far.
    """

    def __init__(self, place: Place, args: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        self._is_closed = False
        self.seen = ""
        self._unread = ""
        command = [sys.executable, "-c", _TAKE_THE_TERMINAL, *place.command(), *args]
        environment = place.environment(NO_COLOR="1", TERM="dumb")
        self._process = subprocess.Popen(
            command,
            cwd=place.path,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def expect(self, text: str) -> None:
        """Wait until the command writes *text*, a pattern, and take what came before as read."""
        until = time.monotonic() + _PATIENCE
        while (found := re.search(text, self._unread)) is None:
            assert self._more(until), f"{text!r} did not come: {self.seen!r}"
        self._unread = self._unread[found.end() :]

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, line.encode() + b"\n")

    def end_input(self) -> None:
        """Press Ctrl-D."""
        os.write(self._master, b"\x04")

    def interrupt(self) -> int:
        """Press Ctrl-C until the command ends, and return its exit code.

        Python misses one that comes just before it begins to read.
        """
        for _ in range(3):
            os.write(self._master, b"\x03")
            until = time.monotonic() + _PATIENCE / 6
            while "interrupted" not in self._unread:
                if not self._more(until):
                    break
            else:
                break
        return self.end()

    def end(self) -> int:
        """Wait until the command has ended, and return its exit code."""
        until = time.monotonic() + _PATIENCE
        while self._more(until):
            pass
        return self._process.wait(_PATIENCE)

    def close(self) -> None:
        """End the command, if it has not ended, and take the terminal away."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        if not self._is_closed:
            self._is_closed = True
            os.close(self._master)

    def _more(self, until: float) -> bool:
        """Read what was written; False at the end, or when it takes too long."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return False
        try:
            text = os.read(self._master, 65536).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # Linux's way to say that the other side is gone
            return False
        self.seen += text
        self._unread += text
        return bool(text)
