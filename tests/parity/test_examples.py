"""The example programs run on LangGraph when nothing but their import lines is exchanged."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.parity import sides

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "langgraph").glob("*.py"))
IMPORT = re.compile(r"^from durably import (.+)$", re.MULTILINE)


def _printed(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a program prints."""
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(text, name, "exec", dont_inherit=True), vars(module))
    return printed.getvalue()


def _for_langgraph(text: str) -> str:
    """Return a program with LangGraph's import lines."""
    side = sides.langgraph()

    def lines(found: re.Match[str]) -> str:
        wanted = [name.strip() for name in found[1].split(",")]
        return "\n".join(f"from {getattr(side, one).__module__} import {one}" for one in wanted)

    changed, count = IMPORT.subn(lines, text)
    assert count == 1
    assert "durably" not in changed
    return changed


def test_there_are_examples():
    """The folder is where the other test looks for it."""
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_the_same_on_both(path, monkeypatch):
    """One program text, two libraries, one output."""
    text = path.read_text(encoding="utf-8")
    expected = _printed(_for_langgraph(text), "example_on_langgraph", monkeypatch)
    assert len(expected.splitlines()) > 2
    assert _printed(text, "example_on_durably", monkeypatch) == expected
