"""Reader: bytes back into a value, each extension value by the function its number stands for."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

from ormsgpack import unpackb

from ...errors import DecodeError
from .class_names import HINT, Hinted
from .depth import too_nested
from .format import BLOB, FREE_OBJECTS, MAX_EXPANDED, MAX_LINKS, MAX_OBJECTS
from .value_cache import Recall, Recalled

Read: TypeAlias = "Callable[[Reader, bytes], Any]"


class Known(Protocol):
    """What a reader asks of the codec."""

    readers: Mapping[int, Read]

    def find(self, name: str, /) -> Any:
        """Return what a name names under the codec's rule, or None."""
        ...

    def custom(self, tag: str, /) -> Callable[[Any], Any] | None:
        """Return how the values of a TypeCodec are made, or None."""
        ...


class Reader:
    """Reads one value.

    Args:
        known: Extension values, classes and TypeCodecs.
        hinted: Classes that the caller supplies.
        blobs: Parts that were stored apart, by hash.

    Attributes:
        known_blobs: What other parts hold, from an earlier reading.
        parts: The parts of the value that is being read, and how many lie inside each other there,
            by number.
        height: The most parts that lie inside each other below the one that is being read.
    """

    __slots__ = (
        "_depth",
        "_expanded",
        "_failure",
        "_links",
        "_recall",
        "_replace",
        "blobs",
        "height",
        "hinted",
        "known",
        "known_blobs",
        "parts",
    )

    def __init__(self, known: Known, hinted: Hinted, blobs: Mapping[bytes, bytes]) -> None:
        self.known = known
        self.hinted = hinted
        self.blobs = blobs
        self._depth = 0
        self._links = 0
        self._expanded = 0
        self._failure: BaseException | None = None
        self._recall: Recall | None = None
        self._replace: Callable[[str], Any] | None = None
        self.known_blobs: Recalled = {}
        self.parts: dict[Any, tuple[Any, int]] = {}
        self.height = 0

    def remember(self, recall: Recall) -> None:
        """Take from *recall* what is known of blobs, and keep there what is read."""
        self._recall, self.known_blobs = recall, recall.known

    def read(self, data: bytes) -> Any:
        """Return the value of *data*.

        Raises:
            DecodeError: The bytes do not make a value.
        """
        try:
            return self.unpack(data)
        except BaseException as raised:
            error = self._failure or raised  # ormsgpack hides what an extension value raised
        if isinstance(error, Missing):
            raise DecodeError(str(error))
        if isinstance(error, DecodeError) or not isinstance(error, Exception):
            raise error
        raise DecodeError(
            f"stored bytes do not make a value: {type(error).__name__}: {error}"
        ) from error

    @contextmanager
    def replacing(self, replace: Callable[[str], Any]) -> Generator[None]:
        """Have what is read inside made by *replace* from its class's name if that is missing."""
        before, self._replace = self._replace, replace
        try:
            yield
        finally:
            self._replace = before

    def unpack(self, data: bytes) -> Any:
        """Return the value of the bytes inside an extension value."""
        return unpackb(data, ext_hook=self._extension)

    def _extension(self, code: int, data: bytes) -> Any:
        try:
            return self._follow(data) if code == BLOB else self._object(code, data)
        except BaseException as error:
            if self._failure is None:
                self._failure = error
            raise

    def _object(self, code: int, data: bytes) -> Any:
        read = self.known.readers.get(code)
        if read is None:
            raise DecodeError(
                f"stored bytes hold extension {code}, which this version does not know; the "
                f"journal may be from a later version of durably"
            )
        self._depth += 1
        if self._depth > MAX_OBJECTS or (self._depth > FREE_OBJECTS and too_nested(data)):
            raise DecodeError("stored bytes nest deeper than any value that is written")
        depth = self._depth
        try:
            value = read(self, data)
        except Missing as error:
            if self._replace is None:
                raise
            value, self._failure = self._replace(error.name), None
        self._depth = depth - 1
        return value

    def _follow(self, key: bytes) -> Any:
        known = self.known_blobs.get(key)
        if known is not None:
            self._expand(known.size)
            return known.copied()
        before = self._expanded
        value = self._read_blob(key)
        if self._recall is not None:
            self._recall.keep(key, value, self._expanded - before)
        return value

    def _read_blob(self, key: bytes) -> Any:
        data = self.blobs.get(key)
        if data is None:
            raise DecodeError(f"the blob {key.hex()} that a stored value refers to is missing")
        self._links += 1
        self._expand(len(data))
        if self._depth + self._links > FREE_OBJECTS and too_nested(data):
            raise DecodeError("stored bytes nest deeper than any value that is written")
        value = self.unpack(data)
        self._links -= 1
        return value

    def _expand(self, size: int) -> None:
        self._expanded += size
        if self._links > MAX_LINKS or self._expanded > MAX_EXPANDED:
            raise DecodeError("stored blobs refer to each other beyond what is ever written")

    def find(self, name: Any) -> Any:
        """Return what a stored name names, or None if the rule does not let it be found."""
        if not isinstance(name, str):
            raise DecodeError("stored bytes hold something else where the name of a class belongs")
        if name.startswith(HINT):
            return self.hinted.classes.get(name)
        return self.known.find(name)

    def data_class(self, name: Any, fits: Callable[[type], bool], what: str) -> type:
        """Return the class of a stored name.

        Args:
            name: The stored name.
            fits: Whether a class is of the kind that was stored.
            what: That kind in words.

        Raises:
            DecodeError: It cannot be found, or is not of that kind.
        """
        found = self.find(name)
        if found is None:
            raise missing(name)
        if not issubclass(type(found), type) or not fits(found):
            raise DecodeError(f"the journal names {name!r} as {what}, which it is not")
        return found  # type: ignore[no-any-return]


class Missing(Exception):  # noqa: N818 - internal; becomes a DecodeError
    """A class that the journal names is not there.

    Attributes:
        name: The stored name.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def missing(name: str) -> Missing:
    """Return the error for a class that the rule does not let be found."""
    if name.startswith(HINT):
        return Missing(
            name,
            "the journal holds a value of the class that was the hint when it was written "
            f"({name[1:] or 'itself'}); pass that class as the hint",
        )
    package = name.partition(":")[0].partition(".")[0]
    return Missing(
        name,
        f"the journal names {name!r}, which is not loaded: import its module before the run "
        f"continues, register a TypeCodec, or allow-list {package!r}",
    )
