"""Records the golden journals with the code of this checkout: ``python -m tests.golden``.

Run it only when the journal's format changes on purpose. The journals of each rule by which lanes
are named lie in a folder of their own. Those of former rules stay while they are supported.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from durably.engine import IDENTITY

from .cases import CASES, DEMOS, JOURNALS, Case, served, started


def record(case: Case, journals: Path) -> None:
    """Run one case to the point where it is interrupted, and keep its journal."""
    with tempfile.TemporaryDirectory(prefix="golden-") as made, served(case) as server:
        place = Path(made)
        shutil.copy(case.program, place)
        ended = started(case, place, server, kill_after=case.kill_after)
        if ended.returncode != case.first_exit:
            raise SystemExit(f"{case.name} ended with {ended.returncode}: {ended.stderr}")
        database = place / "journal.db"
        with sqlite3.connect(database) as connection:
            # One file, without the write-ahead log that the killed process left.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copy(database, journals / f"{case.name}.db")
        print(f"{case.name}: {database.stat().st_size:,} bytes")


def main() -> None:
    """Record every case."""
    assert DEMOS.is_dir()
    journals = JOURNALS / f"identity-{IDENTITY}"
    journals.mkdir(exist_ok=True)
    for case in CASES:
        if not sys.argv[1:] or case.name in sys.argv[1:]:
            record(case, journals)


main()
