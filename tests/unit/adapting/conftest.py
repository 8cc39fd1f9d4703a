"""The fake framework, importable and untouched for each test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from durably.adapting._import_hook import ImportWatch

SUPPORT = Path(__file__).parents[2] / "support"


@pytest.fixture(autouse=True)
def framework(monkeypatch):
    """Makes ``fakeframework`` importable; nothing of it is imported, and nobody waits for it."""
    monkeypatch.syspath_prepend(str(SUPPORT))
    monkeypatch.setattr(
        sys, "meta_path", [one for one in sys.meta_path if not isinstance(one, ImportWatch)]
    )
    yield
    for name in [one for one in sys.modules if one.partition(".")[0] == "fakeframework"]:
        del sys.modules[name]
