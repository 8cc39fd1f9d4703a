"""Runs the real ``durably`` command on scripts in a directory of a test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TIMEOUT = 60


class Place:
    """A directory with scripts, and the command run in it.

    Attributes:
        path: The directory.
        env: Environment variables on top of this process's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env: dict[str, str] = {}

    def write(self, name: str, text: str) -> Path:
        """Write a file into the directory."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def lines(self, name: str) -> list[str]:
        """Return a file's lines; none if it is not there."""
        file = self.path / name
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment that commands get."""
        usual = {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        dropped = ("DURABLY_", "NO_COLOR")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        return {**inherited, **usual, **self.env, **more}

    def python(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run plain Python."""
        return self._run([sys.executable, *args], stdin, {})

    def durably(
        self, *args: str, stdin: str = "", **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the command; keyword arguments in capitals are environment variables."""
        env = {name: value for name, value in options.items() if name.isupper()}
        more = {name: value for name, value in options.items() if not name.isupper()}
        return self._run([*self.command(), *args], stdin, env, **more)

    def command(self) -> list[str]:
        """Return the command as an argument list."""
        return [sys.executable, "-m", "durably"]

    def json(self, *args: str) -> dict[str, Any]:
        """Return what a command prints with ``--json``."""
        done = self.durably(*args, "--json")
        assert done.returncode == 0, done.stderr
        value: dict[str, Any] = json.loads(done.stdout)
        assert value["v"] == 1
        return value

    def newest(self) -> dict[str, Any]:
        """Return the newest run as ``durably runs`` tells it."""
        run: dict[str, Any] = self.json("runs")["runs"][0]
        return run

    def _run(
        self, command: Sequence[str], stdin: str, env: dict[str, str], **more: Any
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment(**env),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
            **more,
        )
