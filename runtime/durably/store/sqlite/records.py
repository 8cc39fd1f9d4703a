"""Records in SQLite. Every statement is fixed; what callers give is only ever bound."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..ops import Namespace
from ..records import Draft, Record, expiry

_SEPARATOR = "."
_AFTER_SEPARATOR = "/"  # the next character, so that ["a.", "a/") holds all that begins with "a."

_FIELDS = "SELECT id, namespace, key, value, created, updated, ttl FROM store_item"
_LIVE = "(expires IS NULL OR expires > :now)"
_BELOW = "(namespace = :prefix OR (namespace >= :first AND namespace < :end))"
_ORDER = "ORDER BY id"
_VECTORS = "SELECT item, vector FROM store_vector JOIN store_item ON store_item.id = item"

_FIND = f"{_FIELDS} WHERE namespace = :namespace AND key = :key AND {_LIVE}"
_ALL = f"{_FIELDS} WHERE {_LIVE} {_ORDER}"
_ALL_BELOW = f"{_FIELDS} WHERE {_BELOW} AND {_LIVE} {_ORDER}"
_VECTORS_BELOW = f"{_VECTORS} WHERE {_BELOW}"
_NAMESPACES = """
    SELECT DISTINCT namespace FROM store_item WHERE expires IS NULL OR expires > :now
"""
_TOUCH = "UPDATE store_item SET expires = :now + ttl * 60 WHERE id = :id AND expires > :now"
_PUT = """
    INSERT INTO store_item (namespace, key, value, created, updated, ttl, expires)
    VALUES (:namespace, :key, :value, :now, :now, :ttl, :expires)
    ON CONFLICT (namespace, key) DO UPDATE SET
        created = iif(expires <= :now, excluded.created, created),
        value = excluded.value, updated = excluded.updated,
        ttl = excluded.ttl, expires = excluded.expires
"""
_ID = "SELECT id FROM store_item WHERE namespace = ? AND key = ?"
_FORGET = "DELETE FROM store_vector WHERE item = ?"
_ADD = "INSERT INTO store_vector (item, vector) VALUES (?, ?)"
_DELETE = "DELETE FROM store_item WHERE namespace = ? AND key = ?"
_SWEEP = "DELETE FROM store_item WHERE expires <= ?"


class SqliteRecords:
    """Records as one transaction sees them; see :class:`~durably.store.records.Records`.

    Args:
        db: A connection inside a transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def find(self, namespace: Namespace, key: str, now: float) -> Record | None:
        """See :meth:`Records.find`."""
        where = {"namespace": _joined(namespace), "key": key, "now": now}
        fields = self._db.execute(_FIND, where).fetchone()
        return _record(fields) if fields else None

    def below(self, prefix: Namespace, now: float) -> Iterator[Record]:
        """See :meth:`Records.below`."""
        if prefix:
            found = self._db.execute(_ALL_BELOW, {**_range(prefix), "now": now})
        else:
            found = self._db.execute(_ALL, {"now": now})
        return map(_record, found)

    def vectors(self, prefix: Namespace) -> Mapping[int, Sequence[bytes]]:
        """See :meth:`Records.vectors`."""
        if prefix:
            found = self._db.execute(_VECTORS_BELOW, _range(prefix))
        else:
            found = self._db.execute(_VECTORS)
        vectors: dict[int, list[bytes]] = {}
        for item, vector in found:
            vectors.setdefault(item, []).append(vector)
        return vectors

    def namespaces(self, now: float) -> Iterable[Namespace]:
        """See :meth:`Records.namespaces`."""
        return [_split(name) for (name,) in self._db.execute(_NAMESPACES, {"now": now})]

    def touch(self, ids: Iterable[int], now: float) -> None:
        """See :meth:`Records.touch`."""
        self._db.executemany(_TOUCH, [{"id": number, "now": now} for number in ids])

    def put(self, namespace: Namespace, key: str, draft: Draft, now: float) -> None:
        """See :meth:`Records.put`."""
        name = _joined(namespace)
        row = {
            "namespace": name,
            "key": key,
            "value": draft.text,
            "ttl": draft.ttl,
            "expires": expiry(now, draft.ttl),
            "now": now,
        }
        self._db.execute(_PUT, row)
        (number,) = self._db.execute(_ID, (name, key)).fetchone()
        self._db.execute(_FORGET, (number,))
        self._db.executemany(_ADD, [(number, vector) for vector in draft.vectors])

    def delete(self, namespace: Namespace, key: str) -> None:
        """See :meth:`Records.delete`."""
        self._db.execute(_DELETE, (_joined(namespace), key))

    def sweep(self, now: float) -> int:
        """See :meth:`Records.sweep`."""
        return self._db.execute(_SWEEP, (now,)).rowcount


def _record(fields: tuple[Any, ...]) -> Record:
    number, namespace, *rest = fields
    return Record(number, _split(namespace), *rest)


def _range(prefix: Namespace) -> dict[str, str]:
    name = _joined(prefix)
    return {"prefix": name, "first": name + _SEPARATOR, "end": name + _AFTER_SEPARATOR}


def _joined(namespace: Namespace) -> str:
    return _SEPARATOR.join(namespace)


def _split(name: str) -> Namespace:
    return tuple(name.split(_SEPARATOR))
