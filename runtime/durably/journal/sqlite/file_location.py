"""Where a journal file may be."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import StorageError


def placed(path: str | os.PathLike[str], *, create: bool) -> str:
    """Return the absolute path of a journal file whose directory is there.

    A missing directory is made if it is called ``.durably``, with a ``.gitignore`` for all of it.

    Args:
        path: The file, which need not exist.
        create: Whether a file that does not exist is welcome.

    Raises:
        StorageError: No file can be there.
    """
    file = Path(path)
    if str(path) == ":memory:":
        raise StorageError("':memory:' is not a file. Use MemoryStorage(), or the URL 'memory:'.")
    try:
        if file.is_dir():
            raise StorageError(f"{file}: a directory. Name a file, such as {file / 'journal.db'}.")
        if not create and not file.exists():
            raise StorageError(f"{file}: no such journal. Check the path, or begin a run there.")
        _make_home(file)
    except OSError as error:
        raise StorageError(
            f"{file}: {error.strerror}. Give this user access to its directory, or name another "
            "journal."
        ) from error
    return str(file.absolute())


def _make_home(file: Path) -> None:
    home = file.parent
    if home.is_dir():
        return
    if home.name != ".durably" or not home.parent.is_dir():
        raise StorageError(f"{file}: its directory is not there. Make it, and run again.")
    home.mkdir(exist_ok=True)
    (home / ".gitignore").write_text("*\n", encoding="utf-8")
