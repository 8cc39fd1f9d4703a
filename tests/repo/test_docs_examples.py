"""The code in the documentation is code: it compiles, and what is marked to run runs."""

from __future__ import annotations

import doctest
import importlib
import re
import sys
import time
from datetime import date
from types import ModuleType

import pytest

import durably
import durably.adapting
import durably.journal
import durably.testing

from .tree import ROOT, named, pages, python_files

FENCE = re.compile(r"^```python *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")

ILLUSTRATIVE = {
    "BaseStore",  # a store that is in use
    "IndexConfig",
    "Item",
    "StepCache",  # a function of the reader's
    "TypeCodec",  # a client of the reader's
    "add_messages",  # langchain-core's messages
    "cache_key",
    "cache_namespace",
    "owner_id",  # names the machine it runs on
}
"""Classes and functions whose examples show a shape; what they are about has tests of its own."""


def blocks():
    """Yield the Python blocks of every page: page and line, words after the fence, code."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], found[2], id=f"{named(page)}:{line}")


def runnable():
    return [one for one in blocks() if one.values[0] == "run"]


@pytest.mark.parametrize(("words", "code"), blocks())
def test_a_block_of_code_compiles(words, code):
    """What is shown as Python is Python."""
    assert words in ("", "run")
    compile(code, "<docs>", "exec", dont_inherit=True)


@pytest.mark.parametrize(("words", "code"), runnable())
def test_a_block_that_is_marked_to_run_runs(words, code, tmp_path, monkeypatch):
    """The asserts in the block hold."""
    module = ModuleType("shown_in_the_docs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "<docs>", "exec", dont_inherit=True), vars(module))


def test_some_blocks_are_run():
    """The mark is understood."""
    assert len(runnable()) >= 4


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_link_leads_somewhere(page):
    """What a page links to in the checkout is there."""
    text = page.read_text(encoding="utf-8")
    missing = [to for to in LINK.findall(text) if not (page.parent / to).exists()]
    assert missing == []


def modules_with_examples():
    yield "durably"  # where public classes say that they are
    for path in python_files("runtime"):
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(ROOT / "runtime").with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_in_docstrings_do_what_they_show(name, tmp_path, monkeypatch):
    """Examples run as they stand, with the public names at hand; those that cannot say so."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    given = {"date": date, "durably": durably, "time": time}
    room = importlib.import_module(".".join(name.split(".")[:2]))
    for public in (durably.testing, durably.adapting, durably.journal, room, durably):
        given |= {each: value for each, value in vars(public).items() if each[0] != "_"}
    given |= vars(module)
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(module, name, globs=given):
        if example.name.removeprefix(f"{name}.").partition(".")[0] not in ILLUSTRATIVE:
            runner.run(example, out=said.append)
    assert "".join(said) == ""
