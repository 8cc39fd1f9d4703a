"""Every difference that a program declares is on the page for newcomers, and nothing else is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "coming-from-langgraph.md"
ROW = re.compile(r"^\| \*\*(.+?)\*\* \|", re.MULTILINE)


def _declared() -> set[str]:
    """Return the reasons that the programs of this folder give for differences."""
    found: set[str] = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "why":
                assert isinstance(node.value, ast.Constant)
                found.add(node.value.value)
    return found


def _listed() -> list[str]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_declared_differences_are_listed():
    """The page tells of everything that the programs assert to be different."""
    assert _declared() - set(_listed()) == set()


def test_listed_differences_are_declared():
    """The page tells of nothing that no program asserts, and of nothing twice."""
    assert set(_listed()) - _declared() == set()
    assert len(_listed()) == len(set(_listed()))
