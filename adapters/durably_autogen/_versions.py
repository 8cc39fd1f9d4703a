"""Which versions of AutoGen this was tested with, as our own distribution's metadata says."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

DISTRIBUTION = "autogen-agentchat"
_WHEN_NOT_INSTALLED = ">=0.6,<0.8"


def tested_versions() -> str:
    """Return the version specifier that the extra ``autogen`` installs."""
    try:
        declared = requires("durably") or []
    except PackageNotFoundError:
        return _WHEN_NOT_INSTALLED
    wanted = re.compile(rf"{re.escape(DISTRIBUTION)}\s*\(?([<>=!~][^;)]*)")
    found = (wanted.match(line) for line in declared)
    return next((one.group(1).strip() for one in found if one), _WHEN_NOT_INSTALLED)
