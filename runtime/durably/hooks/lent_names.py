"""Names that ``durably`` lends from plug-ins, looked up when a program imports one."""

from __future__ import annotations

from functools import lru_cache

from .discovery import Found, discovered
from .manager import Plugins


def lent(name: str) -> object:
    """Return the object that a plug-in lends to ``durably`` under *name*.

    Raises:
        AttributeError: No plug-in lends the name; plug-ins that failed to load are named.
        ImportError: A package that the object needs is not installed.
    """
    return _lent(name, discovered())


@lru_cache(maxsize=64)
def _lent(name: str, installed: tuple[Found, ...]) -> object:
    del installed  # part of the key: a new plug-in may lend the name
    plugins = Plugins()
    found = plugins.lent(name)
    if found is not None:
        return found
    broken = "".join(f" Plug-in {n} failed to load: {why}." for n, why in plugins.broken.items())
    raise AttributeError(f"module 'durably' has no attribute {name!r}.{broken}", name=name)
