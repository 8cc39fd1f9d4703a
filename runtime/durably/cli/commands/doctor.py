"""``durably doctor``: does everything that a run needs fit together?"""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

import click

from ...adapting import ThreadsAdapter
from ...errors import DurablyError
from ...hooks import Plugins
from ...hosting import Host, all_runs
from ...journal import SqliteStorage
from ..context import Loaded
from ..framework_check import examine
from ..journal_location import file_of, is_missing, json_option, shown, store_option
from ..output.screen import Screen
from ..output.text import as_json, counted, number, one_line

_OLDEST_SQLITE = (3, 35)
_OLDEST_PYTHON = (3, 11)


@click.command()
@store_option
@json_option
@click.option("--deep", is_flag=True, help="Read every record of the journal, too.")
@click.pass_obj
def doctor(loaded: Loaded, store: str, *, as_json_text: bool, deep: bool) -> int:
    """Check that everything fits together.

    Python, the journal, the plug-ins and the installed frameworks. Exit code 1 if something is
    wrong that a run needs.
    """
    findings: list[dict[str, Any]] = []
    screen = Screen(sys.stdout)
    for one in _findings(loaded.plugins, store, is_deep=deep):
        findings.append(one)
        if not as_json_text:
            _print(screen, one)
    is_well = all(one["ok"] for one in findings)
    if as_json_text:
        click.echo(as_json({"v": 1, "ok": is_well, "findings": findings}))
    return 0 if is_well else 1


def _findings(plugins: Plugins, store: str, *, is_deep: bool) -> Iterator[dict[str, Any]]:
    yield _finding(
        "python", platform.python_version(), is_ok=sys.version_info[:2] >= _OLDEST_PYTHON
    )
    yield _finding(
        "sqlite", sqlite3.sqlite_version, is_ok=sqlite3.sqlite_version_info >= _OLDEST_SQLITE
    )
    yield _journal(plugins, store, is_deep=is_deep)
    for info in plugins.infos:
        said = f"{info.source}, left out" if info.blocked else info.error or info.source
        yield _finding(f"plug-in {info.name}", said, is_ok=not info.error)
    for adapter in (ThreadsAdapter(), *plugins.adapters()):
        yield examine(adapter)


def _finding(
    what: str, said: str, *, is_ok: bool, details: list[str] | None = None
) -> dict[str, Any]:
    return {"what": what, "ok": is_ok, "said": said, "details": details or []}


def _journal(plugins: Plugins, store: str, *, is_deep: bool) -> dict[str, Any]:
    what = f"journal {shown(store)}"
    if is_missing(store):
        return _finding(what, "none yet; the first run makes it", is_ok=True)
    try:
        host = Host(store, plugins=plugins, config=False)
    except DurablyError as error:
        return _finding(what, "cannot be opened", is_ok=False, details=[str(error)])
    try:
        troubles = list(_troubles(host, is_deep=is_deep))
        said = _size(store) + (_runs(host) if not troubles else "damaged")
    finally:
        host.close()
    return _finding(what, said, is_ok=not troubles, details=troubles)


def _size(store: str) -> str:
    file = file_of(store)
    return f"{number(file.stat().st_size / 1024)} KiB, " if file is not None else ""


def _runs(host: Host) -> str:
    return counted(len(all_runs(host.journal)), "run")


def _troubles(host: Host, *, is_deep: bool) -> Iterator[str]:
    """Yield what is wrong with a journal: as its storage tells, then as reading it tells."""
    storage = host.journal.storage
    try:
        if isinstance(storage, SqliteStorage):
            yield from storage.integrity()
        threads = {thread for thread, _ in host.journal.landmarks()}
    except DurablyError as error:
        yield str(error)
        return
    for thread in sorted(threads) if is_deep else ():
        try:
            host.journal.read(thread)
        except DurablyError as error:
            yield str(error)


def _print(screen: Screen, finding: dict[str, Any]) -> None:
    mark, color = (screen.marks.ended, "green") if finding["ok"] else (screen.marks.failed, "red")
    screen.line(f"{screen.paint(mark, color)} {finding['what']:<28} {one_line(finding['said'])}")
    for detail in finding["details"]:
        screen.line(f"    {one_line(detail)}")
