"""Opening a database: its schema is made once, whoever comes first, and refusals say what to do."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

import durably
from durably.errors import JournalCorrupt, JournalTooNew, StorageError
from durably.hooks import Plugins
from durably.storage import Row
from durably_postgres import PostgresCache, PostgresStorage, PostgresStore
from durably_postgres._address import address

NOW = 100.0


def schema_of(url: str) -> str:
    return url.rpartition("schema=")[2]


@pytest.fixture
def execute(postgres_server: str) -> Iterator[Callable[..., list[tuple[object, ...]]]]:
    """A function that carries out a statement in which ``{}`` stands for identifiers."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:

        def run(text: str, *names: str) -> list[tuple[object, ...]]:
            done = connection.execute(SQL(text).format(*map(Identifier, names)))
            return done.fetchall() if done.description else []

        yield run


def test_many_open_a_new_schema_at_once(postgres_url: str, execute: Callable[..., list[object]]):
    """One of them makes it, the others find it made."""
    ready = threading.Barrier(8)

    def open_one(number: int) -> None:
        ready.wait()
        kind = (PostgresStorage, PostgresStore, PostgresCache)[number % 3]
        kind(postgres_url).close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_one, range(8)))
    name = schema_of(postgres_url)
    assert execute("SELECT number FROM {}.{}", name, "migration") == [(1,), (2,), (3,)]


def test_processes_race_for_schema_and_thread(postgres_url: str):
    """Of processes that start at once one drives the thread at a time; no row is lost or twice."""
    program = (
        "import sys, time\n"
        "from durably.errors import ThreadBusy\n"
        "from durably.storage import Row\n"
        "from durably_postgres import PostgresStorage\n"
        "storage = PostgresStorage(sys.argv[1])\n"
        "left = 20\n"
        "while left:\n"
        "    try:\n"
        "        lease = storage.acquire('t', sys.argv[2], 30, 100.0)\n"
        "    except ThreadBusy:\n"
        "        continue\n"
        "    rows = [Row(lease.head + n, 20, sys.argv[2], b'') for n in (1, 2)]\n"
        "    storage.append(lease, rows[:1], {}, barrier=False)\n"
        "    storage.append(lease, rows[1:], {}, barrier=True)\n"
        "    storage.renew(lease, 0)\n"
        "    left -= 1\n"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", program, postgres_url, f"owner{number}"])
        for number in range(3)
    ]
    assert [racer.wait(120) for racer in racers] == [0, 0, 0]
    with contextlib.closing(PostgresStorage(postgres_url)) as storage:
        rows = [*storage.read("t")]
    assert [row.seq for row in rows] == [*range(1, 121)]
    assert all(one.run == two.run for one, two in zip(rows[::2], rows[1::2], strict=True))
    assert {row.run for row in rows} == {"owner0", "owner1", "owner2"}


def test_schemas_of_one_database_are_apart(postgres_url: str, empty_postgres_url: str):
    """Two schemas know nothing of each other's threads."""
    with (
        contextlib.closing(PostgresStorage(postgres_url)) as one,
        contextlib.closing(PostgresStorage(empty_postgres_url)) as other,
    ):
        one.append(one.acquire("t", "me", 30, NOW), [Row(1, 1, "run", b"")], {}, barrier=False)
        assert [*other.read("t")] == []
        assert [*other.landmarks()] == []


def test_the_schema_may_be_named_apart_from_the_url(postgres_url: str, postgres_server: str):
    """An argument names the schema as the URL's parameter does."""
    name = schema_of(postgres_url)
    PostgresStorage(postgres_server, schema=name).close()
    with contextlib.closing(PostgresStorage(postgres_url)) as storage:
        assert storage.url.endswith(f"schema={name}")


def test_another_programs_schema_is_not_touched(
    postgres_url: str, execute: Callable[..., list[object]]
):
    """A schema with tables but without durably's mark is refused."""
    name = schema_of(postgres_url)
    execute("CREATE SCHEMA {}", name)
    execute("CREATE TABLE {}.{} (id integer)", name, "thread")
    with pytest.raises(StorageError, match=f"{name}' holds another program's tables"):
        PostgresStorage(postgres_url)


def test_a_later_format_is_refused(postgres_url: str, execute: Callable[..., list[object]]):
    """A schema that a later durably wrote is left alone."""
    PostgresStorage(postgres_url).close()
    execute("INSERT INTO {}.{} VALUES (1000, now())", schema_of(postgres_url), "migration")
    with pytest.raises(JournalTooNew, match="Upgrade durably"):
        PostgresStorage(postgres_url)


def test_a_database_without_unicode_is_refused(
    postgres_server: str, execute: Callable[..., list[object]]
):
    """Thread ids may be any text, which not every encoding can hold."""
    execute(
        "CREATE DATABASE {} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
        "durably_latin",
    )
    try:
        with pytest.raises(StorageError, match=r"LATIN1.*ENCODING 'UTF8'"):
            PostgresStorage(make_conninfo(postgres_server, dbname="durably_latin"))
    finally:
        execute("DROP DATABASE {}", "durably_latin")


def test_a_lost_table_is_named(postgres_url: str, execute: Callable[..., list[object]]):
    """Damage that somebody did is told as such, not as an error of the server."""
    with contextlib.closing(PostgresStorage(postgres_url)) as storage:
        execute("DROP TABLE {}.{}", schema_of(postgres_url), "row")
        with pytest.raises(JournalCorrupt, match="a table is missing"):
            storage.read("t")


def test_a_user_without_rights_is_told_so(postgres_url: str, execute: Callable[..., list[object]]):
    """Whoever may not make a schema learns which right is missing; one that is there will do."""
    name = schema_of(postgres_url)
    execute("CREATE ROLE {} LOGIN PASSWORD 'guest'", "durably_guest")
    try:
        wanted = conninfo_to_dict(postgres_url.rpartition("schema=")[0].rstrip("?&"))
        conninfo = make_conninfo(**{**wanted, "user": "durably_guest", "password": "guest"})
        with pytest.raises(StorageError, match="Grant CREATE on the database"):
            PostgresStorage(conninfo, schema=name)
        execute("CREATE SCHEMA {} AUTHORIZATION {}", name, "durably_guest")
        with contextlib.closing(PostgresStorage(conninfo, schema=name)) as storage:
            lease = storage.acquire("t", "me", 30, NOW)
            storage.append(lease, [Row(1, 1, "run", b"")], {b"h": b""}, barrier=True)
        execute("DROP SCHEMA {} CASCADE", name)
    finally:
        execute("DROP ROLE {}", "durably_guest")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://postgres@127.0.0.1:1/x", "cannot be reached. Check the URL"),
        ("postgresql://postgres@/x?host=/nowhere", "cannot be reached. Check the URL"),
        ("postgresql://postgres@/x?unheard=of", "no address of a PostgreSQL database"),
        ("nonsense", "no address of a PostgreSQL database"),
        ("postgresql:///x?schema=a%22b", "cannot be used as a schema's name"),
        ("postgresql:///x?schema=" + "s" * 64, "cannot be used as a schema's name"),
    ],
)
def test_a_wrong_address_fails_at_once(url: str, said: str):
    """Nothing is waited for when nobody answers at the first try."""
    with pytest.raises(StorageError, match=said):
        PostgresStorage(url)


def test_no_password_is_shown(postgres_url: str):
    """Neither what a storage is called nor an error repeats the password."""
    found = address("postgresql://ada:secret@db.example:5433/runs?sslmode=require&schema=mine")
    assert found.url == "postgresql://ada@db.example:5433/runs?schema=mine"
    assert conninfo_to_dict(found.conninfo)["password"] == "secret"
    assert conninfo_to_dict(found.conninfo)["sslmode"] == "require"
    with pytest.raises(StorageError) as caught:
        PostgresStorage("postgresql://ada:secret@127.0.0.1:1/runs")
    assert "secret" not in str(caught.value)
    with pytest.raises(StorageError) as caught:
        PostgresStorage("postgresql://ada:secret@127.0.0.1/runs?unheard=of")
    assert "secret" not in str(caught.value)
    assert address("host=db.example dbname=runs password=secret").url == (
        "postgresql://db.example/runs"
    )


def test_a_silent_network_is_noticed():
    """Connections are watched, unless the URL says how."""
    found = conninfo_to_dict(address("postgresql:///x?keepalives_idle=7").conninfo)
    assert found["keepalives_idle"] == "7"
    assert int(str(found["tcp_user_timeout"])) <= 60_000
    assert found["application_name"] == "durably"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_urls_open_all_three(postgres_url: str, scheme: str):
    """The plug-in offers storage, store and cache by either scheme, and nothing else."""
    plugins = Plugins()
    url = postgres_url.replace("postgresql", scheme, 1)
    opened = [plugins.open_storage(url), plugins.open_store(url), plugins.open_cache(url)]
    kinds = [durably.PostgresStorage, durably.PostgresStore, durably.PostgresCache]
    assert [type(one) for one in opened] == kinds
    for one in opened:
        one.close()


def test_a_pool_of_ones_own_is_borrowed_from(postgres_url: str, postgres_server: str):
    """Connections of a program's pool are used, whatever they are set to, and left open."""
    with ConnectionPool(
        postgres_server, min_size=1, max_size=2, kwargs={"row_factory": psycopg.rows.dict_row}
    ) as pool:
        storage = PostgresStorage(pool, schema=schema_of(postgres_url))
        lease = storage.acquire("t", "me", 30, NOW)
        storage.append(lease, [Row(1, 1, "run", b"body")], {b"h": b"blob"}, barrier=True)
        assert [*storage.read("t")] == [Row(1, 1, "run", b"body")]
        assert storage.fetch("t", [b"h"]) == {b"h": b"blob"}
        storage.rewrite(lease, [Row(1, 1, "run", b"other")], {})
        storage.renew(lease, 0)
        storage.delete("t", NOW)
        storage.close()
        with pool.connection() as connection:
            assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}
            assert connection.autocommit is False
    with pytest.raises(StorageError, match="closed"):
        storage.read("t")
