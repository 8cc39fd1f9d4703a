"""Whether an installed framework offers what its adapter needs."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import Any

from ..adapting import Adapter, Seam, in_range, installed_version, problem

_OWN = "python"


def examine(adapter: Adapter) -> dict[str, Any]:
    """Import a framework, if it is installed, and look for every seam of its adapter.

    Returns:
        A finding for ``durably doctor``, with the seams one by one.
    """
    is_builtin = adapter.distribution == _OWN
    found = None if is_builtin else installed_version(adapter)
    said: dict[str, Any] = {
        "what": f"{adapter.name} adapter",
        "ok": True,
        "said": "not installed",
        "details": [],
        "distribution": adapter.distribution,
        "version": found,
        "tested": adapter.requires or None,
        "in_range": None,
        "seams": [],
    }
    if found is None and not is_builtin:
        return said
    fits = found is None or in_range(adapter, found)
    troubles = _imported(adapter)
    seams = [_seam(seam) for seam in adapter.seams]
    missing = [one for one in seams if one["status"] != "found"]
    spare = sum(one["status"] == "optional" for one in missing)
    lost = [f"{one['problem']}: {one['loses']}" for one in missing if one["status"] == "missing"]
    name = adapter.distribution if is_builtin else f"{adapter.distribution} {found}"
    tested = f" (tested: {adapter.requires})" if adapter.requires else ""
    if not fits:
        tested = f" is outside the tested range {adapter.requires}"
    said |= {
        "said": f"{name}{tested}, {len(seams) - len(missing)} of {len(seams)} seams found"
        + (f", {spare} optional" if spare else ""),
        "ok": fits and not troubles and not any(one["is_fatal"] for one in missing),
        "in_range": fits,
        "seams": seams,
        "details": [*troubles, *lost],
    }
    return said


def _imported(adapter: Adapter) -> list[str]:
    """Import the modules with seams; say which required ones cannot be."""
    modules = {seam.module: seam for seam in adapter.seams if not seam.optional}
    modules = {**{seam.module: seam for seam in adapter.seams if seam.optional}, **modules}
    wanted = [name for name in modules if name not in sys.modules]
    if wanted:
        sys.stderr.write(f"importing {adapter.distribution} ...\n")
    troubles: list[str] = []
    for name in wanted:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                importlib.import_module(name)
        except Exception as error:
            if not modules[name].optional:
                troubles.append(f"{name} cannot be imported: {type(error).__name__}: {error}")
    return troubles


def _seam(seam: Seam) -> dict[str, Any]:
    wrong = problem(seam)
    status = "found" if wrong is None else "optional" if seam.optional else "missing"
    return {
        "target": seam.target,
        "kind": seam.kind,
        "status": status,
        "is_fatal": status == "missing" and seam.essential,
        "problem": wrong.reason if wrong else None,
        "loses": seam.loses,
    }
