"""Keeps many processes in one quick: which files are installed is looked up once."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quick_paths() -> Iterator[None]:
    """Remember the real paths of installed files, which each process of a program asks for anew."""
    original = os.path.realpath
    installed = tuple({sys.prefix, sys.base_prefix})

    @functools.cache
    def remembered(path: str) -> str:
        return original(path)

    def realpath(path: str, *, strict: bool = False) -> str:
        if strict or not isinstance(path, str) or not path.startswith(installed):
            return original(path, strict=strict)
        return remembered(path)

    os.path.realpath = realpath  # type: ignore[assignment]
    try:
        yield
    finally:
        os.path.realpath = original
