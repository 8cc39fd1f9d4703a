"""Who answers from this machine, for the record."""

from __future__ import annotations

import getpass
import platform


def who_is_here() -> str:
    """Return the person at this machine as ``user@host``."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "unknown"
    return f"{user}@{platform.node() or 'localhost'}"
