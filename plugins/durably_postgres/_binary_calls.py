"""Calls of the database's functions in PostgreSQL's binary format, without a cursor.

A cursor's own work takes longer than the server's, and every run takes a thread and gives it back.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, TypeAlias

from psycopg import OperationalError, errors, pq
from psycopg.pq.abc import PGresult

from ._arrays import BYTEA, INT8, TEXT
from ._database import Connection

FLOAT8: Final = 701

TRUE: Final = b"\x01"
"""A BOOL."""

Value: TypeAlias = tuple[int, bytes | None]
"""A type, and a value of it."""

_INT8 = struct.Struct(">q")
_FLOAT8 = struct.Struct(">d")


def raw(value: bytes) -> Value:
    """Return a BYTEA."""
    return BYTEA, value


def text(value: str | None) -> Value:
    """Return a TEXT."""
    return TEXT, None if value is None else value.encode()


def whole(value: int) -> Value:
    """Return an INT8."""
    return INT8, _INT8.pack(value)


def real(value: float) -> Value:
    """Return a FLOAT8."""
    return FLOAT8, _FLOAT8.pack(value)


def as_text(value: bytes | None) -> str | None:
    """Read a TEXT."""
    return None if value is None else value.decode()


def as_whole(value: bytes | None) -> int:
    """Read an INT8; 0 for NULL."""
    return 0 if value is None else int(_INT8.unpack(value)[0])


def as_real(value: bytes | None) -> float:
    """Read a FLOAT8; 0 for NULL."""
    return 0.0 if value is None else float(_FLOAT8.unpack(value)[0])


def row(connection: Connection, statement: bytes, values: Sequence[Value]) -> list[bytes | None]:
    """Carry a statement out that has one row; return its fields."""
    found = sent(connection, statement, [one for _, one in values], [kind for kind, _ in values])
    return [found.get_value(0, field) for field in range(found.nfields)]


def sent(
    connection: Connection, statement: bytes, values: Sequence[bytes | None], types: Sequence[int]
) -> PGresult:
    """Carry a statement out, everything in binary.

    Raises:
        psycopg.Error: The server, or libpq, refused.
    """
    binary = [1] * len(types)
    found = connection.pgconn.exec_params(statement, values, types, binary, 1)
    if found.status != pq.ExecStatus.TUPLES_OK:
        if found.error_field(pq.DiagnosticField.SQLSTATE) is None:  # libpq's, not the server's
            raise OperationalError(found.error_message.decode(errors="replace"))
        raise errors.error_from_result(found)
    return found
