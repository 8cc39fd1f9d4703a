"""Which data files the program reads and writes, heard through one audit hook of the process.

A YAML file with prompts is as much a part of a program as its modules are. A letter in an inbox is
not: the program moves it or removes it. What a file is shows only in what the program does with it,
so reads and writes are both heard. The hook stays as long as the process does (Python cannot remove
one) and costs one comparison for each event that it does not know.

Writes of subprocesses, and of libraries that open files without Python, are not heard.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .scope_var import scope_var

SUFFIXES = (".yaml", ".yml", ".toml", ".json", ".txt", ".md", ".j2", ".prompt")
"""How the names of data files end."""

_INSTALLED = frozenset({"site-packages", "dist-packages", "node_modules", "__pycache__"})
_DESCRIBES_PACKAGES = (".egg-info", ".dist-info")
_OURS = frozenset({"pyproject.toml", "durably.toml"})
"""Durably's own configuration: an edit there says how to continue, and edits no program."""

_WRITES = os.O_WRONLY | os.O_RDWR
_MOST_WRITTEN = 10_000


class FileWatch:
    """The data files that the program of this process has read and written.

    Attributes:
        read: What was read outside of runs before the first step of the process, by real path, with
            its hash once that is known.
        written: What the program wrote, or what it moved or removed.
        recorded: What some run has recorded as a file of the program.
        version: Another number once any of these may matter to a run that has looked before.
    """

    def __init__(self) -> None:
        self.read: dict[str, bytes | None] = {}
        self.written: set[str] = set()
        self.recorded: set[str] = set()
        self.version = 0
        self._is_closed = False
        self._reader = threading.local()

    def install(self) -> None:
        """Hear of every file that is opened, moved or removed from now on."""
        sys.addaudithook(self._hear)

    def close(self) -> None:
        """Take what is read outside of runs from now on for no part of the program."""
        self._is_closed = True

    @contextmanager
    def paused(self) -> Generator[None]:
        """Hear nothing of what this thread reads in the block: durably itself reads there."""
        before = getattr(self._reader, "is_ours", False)
        self._reader.is_ours = True
        try:
            yield
        finally:
            self._reader.is_ours = before

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Take in an audit event; it may raise only what ends a run.

        Literals are compared, since the module's names are gone when the process ends.
        """
        if event == "open":
            try:
                if (path := _data_path(args[0])) is None or getattr(self._reader, "is_ours", False):
                    return
                is_write = bool(args[2] & _WRITES)
            except Exception:  # a program's open() must not fail for it
                return
            if is_write:
                self._wrote(path)
            else:
                self._has_read(path)
        elif event in ("os.remove", "os.rename", "os.link", "os.symlink"):
            self._moved(event, args)

    def _moved(self, event: str, args: tuple[Any, ...]) -> None:
        try:
            gone = None if event in ("os.link", "os.symlink") else _data_path(args[0])
            made = None if event == "os.remove" else _data_path(args[1])
        except Exception:
            return
        if gone is not None:
            self._note_written(gone)
        if made is not None:
            self._wrote(made)

    def _has_read(self, path: str) -> None:
        scope = scope_var.get()
        files = None if scope is None else scope.program_files
        if files is None:
            if not self._is_closed and path not in self.read and is_project_data(path):
                self.read[path] = None
                self.version += 1
        elif scope is not None and files.is_open and scope.leaf is None and is_project_data(path):
            files.note_read(path)

    def _wrote(self, path: str) -> None:
        scope = scope_var.get()
        files = None if scope is None else scope.program_files
        if files is not None:
            files.before_write(path)
        self._note_written(path)
        if files is not None:
            files.after_write(path)

    def _note_written(self, path: str) -> None:
        if path in self.written:
            return
        if len(self.written) < _MOST_WRITTEN or path in self.recorded:
            self.written.add(path)
        if path in self.recorded:
            self.version += 1


def is_project_data(path: str) -> bool:
    """Say whether a real path lies in the program's folders and may be a part of the program."""
    return any(_is_plain(path.removeprefix(root)) for root in _roots() if path.startswith(root))


def _is_plain(inner: str) -> bool:
    """Say whether a path inside a project is neither hidden, nor installed, nor durably's own."""
    parts = Path(inner).parts
    return parts[-1] not in _OURS and not any(
        part.startswith(".") or part in _INSTALLED or part.endswith(_DESCRIBES_PACKAGES)
        for part in parts
    )


def _roots() -> Iterator[str]:
    """Yield the working directory and the folder of the program."""
    yield os.path.join(os.path.realpath(os.curdir), "")  # noqa: PTH118 - the separator counts
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if isinstance(main, str):
        yield os.path.join(os.path.realpath(Path(main).parent), "")  # noqa: PTH118


def _data_path(path: Any) -> str | None:
    """Return the real path of a data file; None if it is none, or only a number is known."""
    if isinstance(path, int):
        return None
    name = path if type(path) is str else os.fsdecode(path)
    return os.path.realpath(name) if name.endswith(SUFFIXES) else None


watch = FileWatch()
watch.install()
