"""The layout of the tree: folders to take in at a glance, names to guess from, no circles."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp
import pytest

from .test_layers import PUBLIC_ROOMS, contracts, packages
from .tree import SOURCES, named, python_files

MOST_FILES = 20
SHARED_PREFIX = 3
OURS = python_files(*SOURCES)
MODULES = [path for path in OURS if not path.stem.startswith("__")]
VERBAL = re.compile(r"(?:^|_)(?!reply$)[a-z]+(?:ing|ly)$")
"""A last word such as ``waiting`` or ``slowly``: a form of a verb or an adverb, not a noun."""

SAME_MEANING = {
    "address": "the address of a database",
    "cache": "a step cache",
    "callbacks": "functions of the user that a framework calls",
    "calls": "calls of a framework as steps",
    "config": "configuration",
    "copies": "copies of a framework's objects",
    "decorator": "a decorator",
    "entry": "what wrap() makes of an object",
    "errors": "messages for the errors of a library or a person",
    "execution": "one execution of a thing from its beginning to its outcome",
    "file": "a file on disk",
    "ids": "ids of a framework's messages",
    "memory": "memories of agents",
    "models": "model calls of a framework",
    "parts": "parts of a stream or of a message",
    "questions": "questions to people",
    "reader": "reads rows",
    "records": "rows as typed values",
    "run": "the run, or the command that starts one",
    "saver": "LangGraph's checkpointers",
    "schema": "the tables of a database",
    "seams": "the table of seams",
    "server": "the model server",
    "spans": "spans of a framework",
    "state": "state of a flow",
    "storage": "a storage of the journal",
    "store": "a store of long-term memory",
    "streams": "streams of a step",
    "text": "pieces of text",
    "tools": "tool calls of a framework",
    "unwind": "the way of a suspended run out of a framework",
    "values": "values of a framework",
    "wrap": "durably.wrap",
}
"""Stems that several files may share, because each of these files is about the same thing."""


def flat(files: list[Path]) -> Mapping[Path, list[Path]]:
    """Return the files of each folder."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in files:
        folders[path.parent].append(path)
    return folders


def test_no_folder_is_too_full():
    """A reader sees a folder at once; past twenty files it holds several things."""
    full = {named(where): len(held) for where, held in flat(OURS).items() if len(held) > MOST_FILES}
    assert full == {}


def test_a_family_of_files_is_a_folder():
    """Three files that share a prefix lie in a folder that bears it."""
    families = {
        f"{named(where)}/{prefix}_*": count
        for where, held in flat(MODULES).items()
        for prefix, count in Counter(path.stem.strip("_").split("_")[0] for path in held).items()
        if count >= SHARED_PREFIX
    }
    assert families == {}


def test_a_private_room_has_plain_file_names():
    """The linter guards the room; an underscore before each of its files would say it twice."""
    rooms = packages("runtime/durably") - PUBLIC_ROOMS
    held = [path for room in rooms for path in python_files(f"runtime/durably/{room}")]
    marked = [named(path) for path in held if re.match(r"_[^_]", path.stem)]
    assert held
    assert marked == []


def test_files_are_named_after_things():
    """A file's name is a noun of the field: the reader guesses from it where a thing is."""
    assert [named(path) for path in MODULES if VERBAL.search(path.stem)] == []


@pytest.mark.parametrize(
    ("stem", "is_verbal"),
    [
        ("_waiting", True),
        ("record_keeping", True),
        ("slowly", True),
        ("reply", False),
        ("thread_log", False),
        ("fingerprint", False),
    ],
)
def test_the_check_of_names_finds_verbs(stem, is_verbal):
    """The check above is not blind."""
    assert bool(VERBAL.search(stem)) is is_verbal


def test_a_name_means_one_thing():
    """Files of one name are about the same thing, which the table above names."""
    shared = Counter(path.stem.strip("_") for path in MODULES)
    assert {stem for stem, count in shared.items() if count > 1} - set(SAME_MEANING) == set()


def circles(imports: Mapping[str, set[str]]) -> Iterator[set[str]]:
    """Yield the sets of modules that import each other (Tarjan's strongly connected components).

    Source: R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1(2), 1972.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> Iterator[set[str]]:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(imports[module]):
            if other not in index:
                yield from visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            at = stack.index(module)
            found = set(stack[at:])
            del stack[at:]
            if len(found) > 1:
                yield found

    for module in sorted(imports):
        if module not in index:
            yield from visit(module)


def test_no_modules_import_each_other():
    """There is no circle, not even of imports inside functions or for type checkers alone."""
    graph = grimp.build_graph(*contracts()["root_packages"], cache_dir=None)
    imports = {one: graph.find_modules_directly_imported_by(one) for one in graph.modules}
    assert len(imports) > 100
    assert list(circles(imports)) == []


def test_the_check_of_circles_finds_one():
    """The check above is not blind."""
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}}
    assert list(circles(imports)) == [{"a", "b", "c"}]
