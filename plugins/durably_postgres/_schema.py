"""The tables of a database, and how it is brought to them.

Everything lies in one schema, so that nothing clashes with a program's own tables. The table
``migration`` names what a schema has seen; whoever opens it adds what is missing, in one
transaction and under an advisory lock that ends with it, so that processes may start at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from durably.errors import JournalTooNew, StorageError

from ._sql_functions import APPEND, RENEW, TAKE

_LOCK = 0x64757261626C79
"""The advisory lock under which schemas are changed, for all schemas of a database."""

_JOURNAL = (
    """
    CREATE TABLE {s}.thread (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        name text NOT NULL,
        owner text,
        epoch bigint NOT NULL,
        lease_until double precision NOT NULL,
        awaited timestamptz
    ) WITH (fillfactor = 50)
    """,
    "CREATE SEQUENCE {s}.mark",
    # Only landmarks are numbered across threads; no foreign key, for it would cost each row.
    """
    CREATE TABLE {s}.row (
        thread bigint NOT NULL,
        seq bigint NOT NULL,
        kind integer NOT NULL,
        mark bigint,
        run text NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (thread, seq)
    )
    """,
    "CREATE UNIQUE INDEX landmark ON {s}.row (mark) WHERE mark IS NOT NULL",
    # A thread that has had many runs is taken without reading their steps.
    "CREATE INDEX own_landmark ON {s}.row (thread, seq) WHERE mark IS NOT NULL",
    """
    CREATE TABLE {s}.blob (
        thread bigint NOT NULL,
        hash bytea NOT NULL,
        part integer NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (thread, hash, part)
    )
    """,
    # What is worth compressing was compressed before it came here.
    "ALTER TABLE {s}.row ALTER body SET STORAGE EXTERNAL",
    "ALTER TABLE {s}.blob ALTER data SET STORAGE EXTERNAL",
    TAKE,
    RENEW,
    APPEND,
)

_STORE = (
    # The digest stands for namespace and key, which may be longer than an index can hold.
    """
    CREATE TABLE {s}.item (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        namespace text COLLATE "C" NOT NULL,
        key text NOT NULL,
        value text NOT NULL,
        created double precision NOT NULL,
        updated double precision NOT NULL,
        ttl double precision,
        expires double precision
    )
    """,
    "CREATE INDEX item_namespace ON {s}.item (left(namespace, 200), id)",
    "CREATE INDEX item_expiry ON {s}.item (expires) WHERE expires IS NOT NULL",
    """
    CREATE TABLE {s}.vector (
        item bigint NOT NULL REFERENCES {s}.item ON DELETE CASCADE,
        data bytea NOT NULL
    )
    """,
    "CREATE INDEX vector_item ON {s}.vector (item)",
)

_CACHE = (
    """
    CREATE TABLE {s}.entry (
        digest bytea PRIMARY KEY,
        namespace bytea NOT NULL,
        value bytea NOT NULL,
        expires double precision
    )
    """,
    "CREATE INDEX entry_namespace ON {s}.entry (namespace)",
    "CREATE INDEX entry_expiry ON {s}.entry (expires) WHERE expires IS NOT NULL",
    """
    CREATE TABLE {s}.claim (
        digest bytea PRIMARY KEY,
        owner text NOT NULL,
        expires double precision NOT NULL
    )
    """,
)

_MIGRATIONS: Sequence[Sequence[str]] = (_JOURNAL, _STORE, _CACHE)

VERSION = len(_MIGRATIONS)
"""The version that this release writes."""


def prepare(connection: Connection[Any], schema: str, place: str) -> None:
    """Bring a schema to :data:`VERSION`, making it if it is not there.

    Args:
        connection: A connection outside of any transaction.
        schema: The schema's name.
        place: What to call the database in messages.

    Raises:
        JournalTooNew: A later release of durably wrote the schema.
        StorageError: The schema holds another program's tables, or the database no Unicode.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StorageError(
            f"{place}: the database's encoding is {encoding}, which cannot hold every text. Create "
            "one with ENCODING 'UTF8' and name it instead."
        )
    if _version(connection, schema, place) == VERSION:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        # Read again under the lock: another process may have been faster.
        _migrate(connection, schema, _version(connection, schema, place))


def _version(connection: Connection[Any], schema: str, place: str) -> int:
    """Return how many migrations a schema has seen."""
    found = connection.execute(
        "SELECT c.relname = 'migration' FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v')",
        (schema,),
    ).fetchall()
    if (True,) not in found:
        if found:
            raise StorageError(
                f"{place}: the schema {schema!r} holds another program's tables; it was not "
                "touched. Name another one: schema=… in the URL."
            )
        return 0
    count = SQL("SELECT count(*) FROM {s}.migration").format(s=Identifier(schema))
    row = connection.execute(count).fetchone()
    version = int(row[0]) if row else 0
    if version > VERSION:
        raise JournalTooNew(
            f"{place}: the schema {schema!r} was written by a later durably (format {version}; "
            f"this one reads up to {VERSION}). Upgrade durably, or name another schema."
        )
    return version


def _migrate(connection: Connection[Any], schema: str, version: int) -> None:
    name = Identifier(schema)
    if version == 0:
        # A user who may not create schemas can still use one that is there.
        known = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,))
        if known.fetchone() is None:
            connection.execute(SQL("CREATE SCHEMA {s}").format(s=name))
        table = "CREATE TABLE {s}.migration (number integer PRIMARY KEY, made timestamptz NOT NULL)"
        connection.execute(SQL(table).format(s=name))
    for number, statements in enumerate(_MIGRATIONS[version:], version + 1):
        for statement in statements:
            connection.execute(SQL(statement).format(s=name))  # pyright: ignore[reportArgumentType]
        note = SQL("INSERT INTO {s}.migration VALUES (%s, now())").format(s=name)
        connection.execute(note, (number,))
