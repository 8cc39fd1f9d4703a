"""A host's journal: opened when it is first used, in the process that uses it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..errors import StorageError
from ..hooks import Plugins
from ..journal import Codec, Journal, Storage
from ..process_fork import tell_of_forks


class OpenedJournal:
    """Opens a journal when it is asked for.

    A module that wraps an object when it is imported does not touch a disk or a server by that,
    and a server that forks its workers afterwards shares no connection with them.

    Args:
        given: The journal's URL, or a storage.
        plugins: Open the URL.
        codec: How values become bytes.
        clock: Gives seconds since the epoch.

    Attributes:
        place: The journal's URL.
    """

    def __init__(
        self, given: str | Storage, plugins: Plugins, codec: Codec, clock: Callable[[], float]
    ) -> None:
        self.place = given if isinstance(given, str) else str(getattr(given, "url", "memory:"))
        self._given = given
        self._plugins = plugins
        self._codec = codec
        self._clock = clock
        self._opening = threading.Lock()
        self._journal: Journal | None = None
        self._is_closed = False
        tell_of_forks(self)

    def opened(self) -> Journal:
        """Return the journal.

        Raises:
            StorageError: It cannot be opened, or was closed.
            PluginError: No plug-in knows the URL.
        """
        return self._journal or self._open()

    def _open(self) -> Journal:
        with self._opening:
            if self._journal is None:
                if self._is_closed:
                    raise StorageError(f"{self.place}: closed. Open the journal again to go on.")
                given = self._given
                storage = self._plugins.open_storage(given) if isinstance(given, str) else given
                self._journal = Journal(storage, self._codec, self._clock)
            return self._journal

    def close(self) -> None:
        """Close the journal, if it was opened."""
        self._is_closed = True
        if self._journal is not None:
            self._journal.close()
        elif not isinstance(self._given, str):
            self._given.close()

    def before_fork(self) -> None:
        """Do nothing: the storage sees to its connections."""

    def after_fork(self, *, in_child: bool) -> None:
        """Let the child open the journal, whatever another thread of the parent was doing."""
        if in_child:
            self._opening = threading.Lock()
