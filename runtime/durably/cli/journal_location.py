"""Finding and opening the journal that a command is about."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from ..errors import StorageError
from ..hooks import Plugins
from ..hosting import DEFAULT_URL, Host

F = TypeVar("F", bound=Callable[..., Any])

VARIABLE = "DURABLY_STORE"
"""Environment variable: the journal's URL."""

_SQLITE = "sqlite:///"


def store_option(command: F) -> F:
    """Give a command the option ``--store``."""
    return click.option(
        "--store",
        metavar="URL",
        envvar=VARIABLE,
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        help="The journal.",
    )(command)


def json_option(command: F) -> F:
    """Give a command the option ``--json``."""
    return click.option("--json", "as_json_text", is_flag=True, help="Print JSON.")(command)


def file_of(url: str) -> Path | None:
    """Return the file that a URL names, or None if it is no file's."""
    if url.startswith(_SQLITE):
        return Path(url.removeprefix(_SQLITE))
    return Path(url) if "://" not in url and url.endswith(".db") else None


def is_missing(url: str) -> bool:
    """Say whether the journal is a file that does not exist."""
    file = file_of(url)
    return file is not None and not file.exists()


def open_existing(url: str, plugins: Plugins) -> Host:
    """Open a journal that must be there already; nothing is created.

    Raises:
        StorageError: It is not there, or cannot be opened.
    """
    if is_missing(url):
        raise StorageError(
            f"there is no journal {shown(url)} in {Path.cwd()}. Change to the directory of the "
            "runs, or name their journal with --store."
        )
    return Host(url, plugins=plugins, config=False)


def shown(url: str) -> str:
    """Return a URL for people: a file as its path, a server without its password."""
    file = file_of(url)
    if file is not None:
        return str(file)
    parts = urlsplit(url)
    if parts.password is None:
        return url
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username}:***@{address}").geturl()


def absolute(url: str) -> str:
    """Return a URL that names the same journal from any directory."""
    file = file_of(url)
    return url if file is None else f"{_SQLITE}{file.absolute()}"


def store_arguments(url: str) -> list[str]:
    """Return the ``--store`` arguments that a further command needs to find the same journal."""
    usual = os.environ.get(VARIABLE) or DEFAULT_URL
    return [] if url == usual else ["--store", url]
