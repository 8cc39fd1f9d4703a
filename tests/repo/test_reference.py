"""The reference is complete: every hook and every error stands in it, and hooks are tested."""

from __future__ import annotations

import ast
import re

import pytest

from durably import errors

from .tree import ROOT, functions, parsed, python_files

SPECS = ROOT / "runtime/durably/hooks/specs.py"
HOOKS = {each.name: each for each in functions(parsed(SPECS))}
REFERENCE = ROOT / "docs/reference"


def signature(hook):
    """Return a hook as it stands in the reference."""
    returns = ast.unparse(hook.returns)
    return f"def {hook.name}({ast.unparse(hook.args)}) -> {returns}: ..."


def is_first_answer(hook):
    return "firstresult=True" in ast.unparse(hook.decorator_list[0])


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented_with_its_exact_signature(name):
    """The page of hooks has a section for it that begins with what the code says."""
    page = (REFERENCE / "hooks.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert signature(HOOKS[name]) in section
    assert ("*First answer.*" in section) is is_first_answer(HOOKS[name])


def test_no_hook_is_documented_that_there_is_not():
    """Sections with a hook's name are about a hook that is there, in the order of the code."""
    page = (REFERENCE / "hooks.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([a-z_]+)$", page, re.MULTILINE) == list(HOOKS)


def test_every_hook_has_a_test_of_its_name():
    """``test_hook_<name>`` shows what a plug-in can do with it."""
    tests = {each.name for path in python_files("tests") for each in functions(parsed(path))}
    assert {f"test_hook_{name}" for name in HOOKS} - tests == set()


def derived(base):
    """Yield every class of durably's that derives from *base*, itself included."""
    yield base
    for one in base.__subclasses__():
        if one.__module__.partition(".")[0] == "durably":
            yield from derived(one)


def documented():
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def test_every_error_is_documented():
    """Whoever meets an error finds what happened and what to do."""
    assert {one.__name__ for one in derived(errors.DurablyError)} - documented() == set()


def test_the_tree_of_errors_is_drawn_as_it_is():
    """The picture at the top of the module has every class of it below its base."""
    lines = (errors.__doc__ or "").splitlines()
    drawn = {}
    above = []
    for line in lines:
        found = re.match(r"^([│├└─ ]*)(\w+)(?: {2,}|$)", line)
        if found is None or (not found[1] and found[2] != "DurablyError"):
            continue
        depth = len(found[1]) // 4
        above[depth:] = [found[2]]
        drawn[found[2]] = above[depth - 1] if depth else None
    defined = {
        name: value.__bases__[0].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.DurablyError)
    }
    assert drawn == {**defined, "DurablyError": None}
    assert "\nSuspended (BaseException)" in (errors.__doc__ or "")
