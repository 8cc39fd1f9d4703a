"""Which files make up the program: its script, its modules, and how their content is compared.

A project file is a module's source that is neither the standard library's, nor an installed
package's, nor ours. Files are hashed when they are first seen, so a long-lived process pays for
each of them once.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from .data_files import SUFFIXES, watch

OWN = b"own"
"""Stands for the content of a file that the program wrote itself."""

_OURS = "durably"
_MAIN = "__main__"
_LARGEST_DATA = 16 * 2**20
"""Bytes above which a data file is a data set and no part of the program."""

_first_main = sys.modules.get(_MAIN)
"""What Python was started with: the program itself, or the command that starts it."""


class Sources:
    """The program's files as this process loaded them; shared by all of a host's runs.

    Paths are kept relative to the working directory at the time when this object was made, so that
    a program may change the directory.
    """

    def __init__(self) -> None:
        self._seen: set[str] = {_MAIN}
        self._files: dict[str, bytes] = {}
        self._loaded = -1
        self._main: ModuleType | None = None
        self._lock = threading.Lock()
        self._base = Path.cwd()
        folders = [
            os.path.realpath(path)
            for name in ("stdlib", "platstdlib", "purelib", "platlib")
            if (path := sysconfig.get_path(name))
        ]
        ours = os.path.realpath(Path(__file__).parents[1])
        self._foreign = tuple({f"{folder}{os.sep}" for folder in (*folders, ours)})

    def files(self) -> Mapping[str, bytes]:
        """Return ``{path: hash}`` of the script and of every project module imported so far."""
        if len(sys.modules) != self._loaded or sys.modules.get(_MAIN) is not self._main:
            with self._lock:
                self._look()
        return self._files

    def name_of(self, path: str) -> str:
        """Return *path* relative to the directory that paths are kept relative to, if inside."""
        try:
            return str(Path(path).resolve().relative_to(self._base))
        except (ValueError, OSError):
            return path

    def path_of(self, name: str) -> str:
        """Return the real path of a file by its name in the journal."""
        return os.path.realpath(self._base / name)

    def digest(self, name: str) -> bytes | None:
        """Return a hash of a file's content, by its name; None if it is not there, or too large."""
        return digest_of(self.path_of(name))

    def is_changed(self, name: str, recorded: bytes) -> bool:
        """Say whether a recorded file was edited; a data file that is gone was consumed."""
        if recorded == OWN or (is_data(name) and self.path_of(name) in watch.written):
            return False
        now = self.digest(name)
        return now != recorded and not (now is None and is_data(name))

    def _look(self) -> None:
        self._loaded, self._main = len(sys.modules), sys.modules.get(_MAIN)
        found = dict(self._files)
        paths = [_script_of(self._main)]
        for name, module in sys.modules.copy().items():  # others import meanwhile
            if name not in self._seen:
                self._seen.add(name)
                if not _is_ours(name):
                    paths.append(_module_file(module))
        for path in paths:
            if path is not None and not os.path.realpath(path).startswith(self._foreign):
                digest = digest_of(path)
                if digest is not None:
                    found.setdefault(self.name_of(path), digest)
        self._files = found


def is_data(name: str) -> bool:
    """Say whether a recorded file is a data file and no source."""
    return name.endswith(SUFFIXES)


def digest_of(path: str) -> bytes | None:
    """Return a hash of the file's content; None if it cannot be read or is a large data file."""
    try:
        file = Path(path)
        if is_data(path) and not (file.is_file() and file.stat().st_size <= _LARGEST_DATA):
            return None
        with watch.paused():
            return hashlib.blake2b(file.read_bytes(), digest_size=12).digest()
    except OSError:
        return None


def _is_ours(module: str) -> bool:
    return module.partition(".")[0].partition("_")[0] == _OURS


def _module_file(module: object) -> str | None:
    path = getattr(module, "__file__", None)
    return path if isinstance(path, str) and path.endswith(".py") else None


def _script_of(main: object) -> str | None:
    """Return the file of the program, whatever its name ends with.

    A file without ``.py`` that Python itself was started with is an installed command.
    """
    path = getattr(main, "__file__", None)
    if main is _first_main or not isinstance(path, str):
        return _module_file(main)
    return path
