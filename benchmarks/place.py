"""Where one measurement keeps its data: a folder and a database of its own."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
"""Where ``python -m benchmarks`` can be run."""


@dataclass(frozen=True)
class Place:
    """A folder, and the URL of an empty PostgreSQL database if there is a server."""

    folder: Path
    postgres: str | None = None

    @property
    def sqlite(self) -> Path:
        """The SQLite file that subjects use."""
        return self.folder / "bench.db"

    def sqlite_bytes(self) -> int:
        """Return what the closed SQLite files hold, everything moved out of the logs."""
        total = 0
        for path in self.folder.glob("*.db"):
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        for path in self.folder.iterdir():
            total += path.stat().st_size if path.is_file() else 0
        return total

    def postgres_bytes(self) -> int:
        """Return what the tables of the database hold, with their indexes."""
        import psycopg

        assert self.postgres is not None
        query = (
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace NOT IN ('pg_catalog'::regnamespace, "
            "'information_schema'::regnamespace)"
        )
        with psycopg.connect(self.postgres) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])
