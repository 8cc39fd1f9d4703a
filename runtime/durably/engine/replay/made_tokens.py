"""Tokens that this process made: random ids, names of temporary files, its pid, its host.

A recorded request and a new one may differ in such a token and still be the same request. The form
of a token is no evidence: a UUID is as often the name of a letter as noise. So the functions that
make tokens are watched, and a token counts only if one of them returned it in this process.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from functools import wraps
from typing import Any, NamedTuple

MOST_TOKENS = 100_000
SHORTEST = 8
"""How many characters of a token a program must keep, as in ``uuid4().hex[:8]``."""

BORN = time.time()
"""When this process began, in seconds since the epoch, as near as the library can tell."""

_RANDOM_VERSIONS = frozenset({1, 4, 6, 7, 8})
"""Versions of UUIDs that are made from time or chance; the others are made from data (RFC 9562)."""


class MadeTokens:
    """The tokens that were made, numbered in their order; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._heads: OrderedDict[str, list[tuple[int, str]]] = OrderedDict()
        self._lock = threading.Lock()
        self._entries = 0
        self.count = 0

    def add(self, token: str) -> None:
        """Remember a token."""
        head, low = token[:SHORTEST].lower(), token.lower()
        with self._lock:
            self.count += 1
            self._heads.setdefault(head, []).append((self.count, low))
            if len(self._heads) > MOST_TOKENS:
                self._heads.popitem(last=False)

    def holds(self, text: str, after: int = 0) -> bool:
        """Return whether *text* is a token, or the first eight characters or more of one.

        Args:
            text: The text.
            after: How many tokens were made before those that count.
        """
        if len(text) < SHORTEST or self.count <= after:
            return False
        low = text.lower()
        known = self._heads.get(low[:SHORTEST], ())
        return any(number > after and token.startswith(low) for number, token in known)

    def enter(self) -> Entry:
        """Return the facts of an entry into a run that begins now.

        To the first entry of a process everything belongs that the process made before; a script
        makes its session's id at its top. A later entry cannot tell an earlier one's tokens from
        data, so only those made from now on count for it.
        """
        with self._lock:
            self._entries += 1
            is_first = self._entries == 1
        facts = {"pid": os.getpid(), "host": socket.gethostname()}
        if is_first:
            return Entry({**facts, "born": BORN}, 0)
        return Entry(facts, self.count)


class Entry(NamedTuple):
    """An entry into a run.

    Attributes:
        facts: Facts of the process that a request may hold: pid, host, time of its beginning.
        made_before: How many tokens the process had made before those that belong to the entry.
    """

    facts: Mapping[str, Any]
    made_before: int


made = MadeTokens()


def watch_made_tokens() -> None:
    """Watch the functions that make tokens, from now on; once in a process.

    ``uuid4`` and its siblings are watched where all of them end, in ``UUID``, so that a name that a
    program imported earlier is watched too.
    """
    if getattr(uuid.UUID.__init__, "_is_watched", False):
        return
    _watch_uuids()
    _watch_secrets()
    _watch_temporary_names()


def _watch_uuids() -> None:
    original: Any = uuid.UUID.__init__

    @wraps(original)
    def __init__(self: uuid.UUID, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        # uuid1 gives the bytes of the system's library, which hold the version already.
        if kwargs.get("version") in _RANDOM_VERSIONS or "is_safe" in kwargs:
            made.add(str(self))
            made.add(self.hex)

    __init__._is_watched = True  # type: ignore[attr-defined]
    uuid.UUID.__init__ = __init__  # type: ignore[method-assign]


def _watch_secrets() -> None:
    original = secrets.token_bytes

    @wraps(original)
    def token_bytes(nbytes: int | None = None) -> bytes:
        token = original(nbytes)
        made.add(token.hex())
        made.add(_urlsafe(token))
        return token

    secrets.token_bytes = token_bytes


def _urlsafe(token: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def _watch_temporary_names() -> None:
    names: Any = tempfile._RandomNameSequence  # type: ignore[attr-defined]
    original = names.__next__

    @wraps(original)
    def __next__(self: Any) -> str:  # noqa: N807
        name: str = original(self)
        made.add(name)
        return name

    names.__next__ = __next__
