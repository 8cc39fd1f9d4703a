"""Does the installed framework fit its adapter? Refused before anything is paid, not after."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from ..errors import AdapterMismatch
from ._adapter import Adapter
from ._patches import problems

UNTESTED = "DURABLY_UNTESTED"
"""Environment variable: adapters to use with framework versions outside the tested range."""

_log = logging.getLogger("durably")


def installed_version(adapter: Adapter) -> str | None:
    """Return the framework's installed version, or None if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(adapter.distribution)
    except PackageNotFoundError:
        return None


def in_range(adapter: Adapter, found: str) -> bool:
    """Say whether version *found* is one that the adapter was tested with."""
    if not adapter.requires:
        return True
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(adapter.requires).contains(found, prereleases=True)


def check(adapter: Adapter, modules: Iterable[str]) -> None:
    """Raise if the framework does not fit; log what is merely lost.

    Args:
        adapter: Whose framework.
        modules: Modules of it that are imported now.

    Raises:
        AdapterMismatch: The version is out of range, or a seam is gone without which paid or
            effectful work would be repeated.
    """
    found = installed_version(adapter)
    allowed = {name.strip() for name in os.environ.get(UNTESTED, "").split(",")}
    if found is not None and not in_range(adapter, found) and adapter.name not in allowed:
        raise AdapterMismatch(
            f"{adapter.distribution} {found} is outside the range that the {adapter.name} adapter "
            f"was tested with ({adapter.requires}). Install a version in range: "
            f"pip install '{adapter.distribution}{adapter.requires}'. To try this one all the "
            f"same, set {UNTESTED}={adapter.name}."
        )
    missing = problems(adapter, modules)
    fatal = [one for one in missing if one.seam.essential]
    if fatal:
        listed = "; ".join(f"{one.reason}: {one.seam.loses}" for one in fatal)
        raise AdapterMismatch(
            f"{adapter.distribution} {found or '?'} does not fit the {adapter.name} adapter: "
            f"{listed}. Install a version that it was tested with ({adapter.requires or 'any'}); "
            "`durably doctor` shows every seam."
        )
    for one in missing:
        said = (adapter.distribution, found or "?", one.reason, one.seam.loses)
        _log.warning("%s %s: %s; lost: %s", *said)
