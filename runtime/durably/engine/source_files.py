"""Which source files make up the program, and whether they changed since a run began.

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

_OURS = "durably"


class Sources:
    """The program's files as this process loaded them; shared by all of a host's runs."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._files: dict[str, bytes] = {}
        self._loaded = -1
        self._lock = threading.Lock()
        self._foreign = tuple(
            {
                os.path.realpath(path) + os.sep
                for name in ("stdlib", "platstdlib", "purelib", "platlib")
                if (path := sysconfig.get_path(name))
            }
        )

    def files(self) -> Mapping[str, bytes]:
        """Return ``{path: hash}`` of every project file that has been imported so far."""
        if len(sys.modules) != self._loaded:
            with self._lock:
                self._look()
        return self._files

    def _look(self) -> None:
        self._loaded = len(sys.modules)
        found = dict(self._files)
        for name, module in sys.modules.copy().items():  # others import meanwhile
            if name in self._seen:
                continue
            self._seen.add(name)
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path.endswith(".py") and not self._is_foreign(name, path):
                digest = digest_of(path)
                if digest is not None:
                    found[relative(path)] = digest
        self._files = found

    def _is_foreign(self, name: str, path: str) -> bool:
        if name.partition(".")[0].partition("_")[0] == _OURS:
            return True
        return os.path.realpath(path).startswith(self._foreign)


def changed_files(recorded: Mapping[str, bytes]) -> list[str]:
    """Return the recorded files whose content is another one now, or that are gone."""
    return sorted(path for path, digest in recorded.items() if digest_of(path) != digest)


def digest_of(path: str) -> bytes | None:
    """Return a hash of the file's content, or None if it cannot be read."""
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=12).digest()
    except OSError:
        return None


def relative(path: str) -> str:
    """Return *path* relative to the working directory if it lies in it, else as it is."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path
