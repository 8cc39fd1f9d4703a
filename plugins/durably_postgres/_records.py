"""Records of a store in PostgreSQL. Every statement is fixed; what callers give is only bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from durably.storage import Draft, Namespace, Record, expiry

from ._database import Connection, Database, Values
from ._text import digest, restored, stored

_SEPARATOR = "."
_AFTER_SEPARATOR = "/"  # the next character, so that ["a.", "a/") holds all that begins with "a."
_INDEXED = 200

_FIELDS = "SELECT id, namespace, key, value, created, updated, ttl FROM {s}.item"
_LIVE = "(expires IS NULL OR expires > %(now)s)"
# The index holds the beginnings of namespaces only: they may be longer than it can hold.
_BELOW = """
    left(namespace, 200) BETWEEN %(low)s AND %(high)s
    AND (namespace = %(prefix)s OR (namespace >= %(first)s AND namespace < %(end)s))
"""

_FIND = f"{_FIELDS} WHERE digest = %(digest)s AND {_LIVE}"
_ALL = f"{_FIELDS} WHERE {_LIVE} ORDER BY id"
_ALL_BELOW = f"{_FIELDS} WHERE {_BELOW} AND {_LIVE} ORDER BY id"
_VECTORS = "SELECT item, data FROM {s}.vector"
_VECTORS_BELOW = f"{_VECTORS} JOIN {{s}}.item ON item.id = vector.item WHERE {_BELOW}"
_NAMESPACES = f"SELECT DISTINCT namespace FROM {{s}}.item WHERE {_LIVE}"  # noqa: S608 - fixed texts
_TOUCH = """
    UPDATE {s}.item SET expires = %(now)s + ttl * 60 WHERE id = ANY (%(ids)b) AND expires > %(now)s
"""
_PUT = """
    INSERT INTO {s}.item (digest, namespace, key, value, created, updated, ttl, expires)
    VALUES (%(digest)s, %(namespace)s, %(key)s, %(value)s, %(now)s, %(now)s, %(ttl)s, %(expires)s)
    ON CONFLICT (digest) DO UPDATE SET
        created = CASE WHEN item.expires <= %(now)s THEN excluded.created ELSE item.created END,
        value = excluded.value, updated = excluded.updated,
        ttl = excluded.ttl, expires = excluded.expires
    RETURNING id
"""
_FORGET = "DELETE FROM {s}.vector WHERE item = %s"
_ADD = "INSERT INTO {s}.vector (item, data) SELECT %s, unnest(%b::bytea[])"
_DELETE = "DELETE FROM {s}.item WHERE digest = %s"
_SWEEP = "DELETE FROM {s}.item WHERE expires <= %s RETURNING 1"


class PostgresRecords:
    """Records as one transaction sees them; see :class:`~durably.storage.Records`.

    Args:
        database: Where they are.
        connection: A connection inside a transaction.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection

    def find(self, namespace: Namespace, key: str, now: float) -> Record | None:
        """See :meth:`Records.find`."""
        found = self._rows(_FIND, {"digest": digest(*namespace, key), "now": now})
        return _record(found[0]) if found else None

    def below(self, prefix: Namespace, now: float) -> Iterator[Record]:
        """See :meth:`Records.below`."""
        text = _ALL_BELOW if prefix else _ALL
        return map(_record, self._rows(text, {**_range(prefix), "now": now}))

    def vectors(self, prefix: Namespace) -> Mapping[int, Sequence[bytes]]:
        """See :meth:`Records.vectors`."""
        vectors: dict[int, list[bytes]] = {}
        for item, vector in self._rows(_VECTORS_BELOW if prefix else _VECTORS, _range(prefix)):
            vectors.setdefault(item, []).append(vector)
        return vectors

    def namespaces(self, now: float) -> Iterable[Namespace]:
        """See :meth:`Records.namespaces`."""
        return [_split(name) for (name,) in self._rows(_NAMESPACES, {"now": now})]

    def touch(self, ids: Iterable[int], now: float) -> None:
        """See :meth:`Records.touch`."""
        self._rows(_TOUCH, {"ids": sorted(ids), "now": now})

    def put(self, namespace: Namespace, key: str, draft: Draft, now: float) -> None:
        """See :meth:`Records.put`."""
        row = {
            "digest": digest(*namespace, key),
            "namespace": _joined(namespace),
            "key": stored(key),
            "value": draft.text,
            "ttl": draft.ttl,
            "expires": expiry(now, draft.ttl),
            "now": now,
        }
        [(number,)] = self._rows(_PUT, row)
        self._rows(_FORGET, (number,))
        if draft.vectors:
            self._rows(_ADD, (number, list(draft.vectors)))

    def delete(self, namespace: Namespace, key: str) -> None:
        """See :meth:`Records.delete`."""
        self._rows(_DELETE, (digest(*namespace, key),))

    def sweep(self, now: float) -> int:
        """See :meth:`Records.sweep`."""
        return len(self._rows(_SWEEP, (now,)))

    def _rows(self, text: str, values: Values) -> list[Any]:
        return self._database.rows(self._connection, text, values)


def _record(fields: Sequence[Any]) -> Record:
    number, namespace, key, *rest = fields
    return Record(number, _split(namespace), restored(key), *rest)


def _range(prefix: Namespace) -> dict[str, str]:
    name = _joined(prefix)
    first, end = name + _SEPARATOR, name + _AFTER_SEPARATOR
    return {
        "prefix": name,
        "first": first,
        "end": end,
        "low": name[:_INDEXED],
        "high": end[:_INDEXED],
    }


def _joined(namespace: Namespace) -> str:
    return _SEPARATOR.join(namespace)


def _split(name: str) -> Namespace:
    return tuple(name.split(_SEPARATOR))
