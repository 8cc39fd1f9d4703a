"""The conventions of CONTRIBUTING that a machine can check and ruff does not."""

from __future__ import annotations

import ast
import re

import pytest

from .tree import ROOT, SOURCES, functions, named, pages, parsed, python_files

MOST_LINES = 500
LONGEST_FUNCTION = 60
OURS = python_files(*SOURCES)
TESTS = python_files("tests")
EVERYTHING = [*OURS, *TESTS, *python_files("examples", "benchmarks")]
UNFINISHED = re.compile(r"\b(?:T[O]DO|FI[X]ME|X[X]X)\b")
BANNER = re.compile(r"^\s*#\s*[-=*#─━═]{3,}|^\s*#.*[-=*#─━═]{4,}\s*$", re.MULTILINE)


def test_there_is_something_to_check():
    """The folders that the other tests walk are there."""
    assert len(OURS) > 50
    assert len(TESTS) > 10


def test_no_file_is_too_long():
    """A file has one job; past 500 lines it has several."""
    lines = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in OURS}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_function_is_too_long():
    """A function can be seen at once, its docstring included."""
    lengths = {
        f"{named(path)}:{each.name}": (each.end_lineno or 0) - each.lineno + 1
        for path in OURS
        for each in functions(parsed(path))
    }
    assert {name: count for name, count in lengths.items() if count > LONGEST_FUNCTION} == {}


def test_every_module_says_its_job_in_its_first_line():
    """The first line is a docstring of a few words at least."""
    silent = []
    for path in EVERYTHING:
        tree = parsed(path)
        said = (ast.get_docstring(tree) or "").partition("\n")[0]
        first = tree.body[0].lineno if tree.body else 0
        if first != 1 or len(said.split()) < 3:
            silent.append(named(path))
    assert silent == []


def test_no_module_is_a_drawer_for_odds_and_ends():
    """A module is named after its job; ``utils`` and the like are none."""
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    names = {named(path): path.stem.strip("_") for path in EVERYTHING}
    assert [name for name, stem in names.items() if stem in drawers] == []


@pytest.mark.parametrize("root", SOURCES)
def test_a_source_root_holds_only_our_packages(root):
    """What lies in a source root lands on ``sys.path``; nothing there hides another's package."""
    assert [*(ROOT / root).glob("*.py")] == []
    found = [path for path in (ROOT / root).iterdir() if path.is_dir()]
    assert [path.name for path in found if not path.name.startswith("durably")] == []
    assert [path.name for path in found if not (path / "__init__.py").is_file()] == []
    assert [path.name for path in found if not (path / "py.typed").is_file()] == []


@pytest.mark.parametrize("path", [*EVERYTHING, *pages()], ids=named)
def test_nothing_is_left_for_later(path):
    """What is not done is written down elsewhere, not in the code."""
    assert UNFINISHED.findall(path.read_text(encoding="utf-8")) == []


def test_there_are_no_banner_comments():
    """A file that needs headlines is two files."""
    found = {named(path): BANNER.findall(path.read_text(encoding="utf-8")) for path in EVERYTHING}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_every_test_says_what_it_shows():
    """A test has a docstring of one paragraph."""
    silent = [
        f"{named(path)}:{each.name}"
        for path in TESTS
        if path.name.startswith("test_")
        for each in functions(parsed(path))
        if each.name.startswith("test_") and not ast.get_docstring(each)
    ]
    assert silent == []


def test_no_test_is_left_out_without_a_reason():
    """Whoever skips a test, or expects it to fail, says why."""
    found = [
        f"{named(path)}:{node.lineno}" for path in TESTS for node in _unexplained(parsed(path))
    ]
    assert found == []


def _unexplained(tree: ast.AST):
    """Yield marks and calls that leave a test out without a word."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in called:
            if node.attr in {"skip", "skipif", "xfail"} and _is_pytests(node):
                yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            reasons = [one for one in node.keywords if one.arg in {"reason", "msg"}]
            takes_text = node.func.attr in {"skip", "xfail"} and node.args
            if node.func.attr in {"skip", "skipif", "xfail"} and not (
                reasons or takes_text or not _is_pytests(node.func)
            ):
                yield node


def _is_pytests(node: ast.Attribute) -> bool:
    return ast.unparse(node.value) in {"pytest", "pytest.mark"}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("@pytest.mark.skip\ndef test(): ...", 1),
        ("@pytest.mark.skipif(True)\ndef test(): ...", 1),
        ("@pytest.mark.skipif(True, reason='because')\ndef test(): ...", 0),
        ("pytest.skip('because')", 0),
        ("pytest.importorskip('numpy')", 0),
        ("stream.skip()", 0),
    ],
)
def test_the_check_of_reasons_finds_what_it_should(source, count):
    """The check above is not blind."""
    assert len(list(_unexplained(ast.parse(source)))) == count


@pytest.mark.parametrize(
    ("line", "is_banner"),
    [
        ("# ---- helpers ----", True),
        ("# ── spans ──────────", True),
        ("    # ==========", True),
        ("# a comment - with a dash", False),
        ("x = 1  # noqa: E501", False),
    ],
)
def test_the_check_of_banners_finds_what_it_should(line, is_banner):
    """The check above is not blind."""
    assert bool(BANNER.search(line)) is is_banner
