"""The files of the program as one run records them, and whether they were edited since."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..data_files import watch
from ..source_files import OWN, Sources, is_data

_NONE: Mapping[str, bytes] = {}


class ProgramFiles:
    """What a run knows of the program's files.

    Data files count if they were read before the run's first step: what a step reads, or what is
    read between steps, is what the program works on.

    Args:
        sources: The program's modules.
        recorded: The files in the run's journal, by name; grows with the journal.
        has_stepped: Whether an earlier process came to a step.
        flush: Writes at once what is to be recorded.

    Attributes:
        is_open: Whether the run has come to no step yet.
    """

    def __init__(
        self,
        sources: Sources,
        recorded: Mapping[str, bytes],
        *,
        has_stepped: bool,
        flush: Callable[[], object],
    ) -> None:
        self.is_open = not has_stepped
        self._sources = sources
        self._recorded = recorded
        self._flush = flush
        self._modules = _NONE
        self._noted: dict[str, None] = {}
        self._has_noted = False
        self._version = -1
        self._changed: bool | None = None

    def close(self) -> None:
        """Take what is read from now on for no part of the program: there was a step."""
        self.is_open = False
        watch.close()

    @property
    def has_news(self) -> bool:
        """Whether there may be something to record."""
        return (
            self._sources.files() is not self._modules
            or watch.version != self._version
            or self._has_noted
        )

    def take(self) -> dict[str, bytes]:
        """Return what is to be recorded now, by name; each file once."""
        modules, self._version, self._has_noted = self._sources.files(), watch.version, False
        new: dict[str, bytes] = {}
        if modules is not self._modules:
            self._modules = modules
            new = {name: sha for name, sha in modules.items() if name not in self._recorded}
        for path in self._noted:
            self._add_data(new, path, None)
        self._noted = {}
        if self.is_open:
            for path, digest in watch.read.copy().items():
                watch.read[path] = self._add_data(new, path, digest)
        for name, digest in self._recorded.items():
            if digest != OWN and is_data(name) and self._sources.path_of(name) in watch.written:
                new[name] = OWN
        return new

    def _add_data(self, new: dict[str, bytes], path: str, digest: bytes | None) -> bytes | None:
        name = self._sources.name_of(path)
        if name in self._recorded or path in watch.written:
            return digest
        found = digest or self._sources.digest(name)
        if found is not None:
            new[name] = found
            watch.recorded.add(path)
        return found

    def changed(self) -> bool:
        """Say whether a file of the program is not what it was when the run recorded it."""
        if self._changed is None:
            is_changed = self._sources.is_changed
            self._changed = any(is_changed(name, was) for name, was in self._recorded.items())
        return self._changed

    def note_read(self, path: str) -> None:
        """Take note that the program read a data file before its first step."""
        self._noted[path] = None
        self._has_noted = True

    def before_write(self, path: str) -> None:
        """Compare the files while the one that the program is about to write is what it was."""
        if self._holds(path):
            self.changed()

    def after_write(self, path: str) -> None:
        """Record at once that a file is the program's own: the process may die before a step."""
        if self._holds(path):
            watch.recorded.add(path)
            self._version = -1
            self._flush()

    def _holds(self, path: str) -> bool:
        """Say whether the journal holds a file as a part of the program."""
        return self._recorded.get(self._sources.name_of(path), OWN) != OWN
