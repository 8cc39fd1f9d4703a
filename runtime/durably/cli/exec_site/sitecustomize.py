"""Met by every Python process below ``durably exec``; hands its program over to durably.

It runs in whatever Python there is, with or without durably, so it uses little of either. The
``sitecustomize`` that this one stands before is executed first, as if this one were not there.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Sequence

_HERE = os.path.dirname(os.path.abspath(__file__))
_SETTINGS = "DURABLY_EXEC"
_TAKEN = "DURABLY_EXEC_PID"
_WITH_VALUE = "WX"
_LEFT_ALONE = ("ensurepip", "pip", "venv", "virtualenv")
_START = "from durably.cli.exec_child import main; main()"


def _execute_the_next() -> None:
    """Execute the ``sitecustomize`` that would have been found without this one."""
    sys.path[:] = [one for one in sys.path if os.path.abspath(one or os.curdir) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _program(words: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Return the interpreter's options, and how, what and with which arguments it starts.

    None if it starts nothing that could be a program.
    """
    at = 1
    while at < len(words):
        word = words[at]
        if word == "-" or word.startswith("--"):
            return None
        if not word.startswith("-"):
            return [*words[1:at]], ["file", word, *words[at + 1 :]]
        for place, letter in enumerate(word[1:], 1):
            if letter in "cm":
                rest = [one for one in [word[place + 1 :]] if one] + [*words[at + 1 :]]
                options = [*words[1:at], *(["-" + word[1:place]] if place > 1 else [])]
                return (options, ["code" if letter == "c" else "module", *rest]) if rest else None
            if letter in _WITH_VALUE:
                at += 0 if word[place + 1 :] else 1
                break
        at += 1
    return None


def _is_helper(how: str, what: str) -> bool:
    """Say whether Python itself, or an installer, started this process for its own ends."""
    if how == "code":
        return "multiprocessing" in what or "durably" in what
    if how == "module":
        return what.partition(".")[0] in _LEFT_ALONE or what == "durably"
    return not os.path.isfile(what) or os.path.basename(what) in ("durably", "pip")


def _hand_over() -> None:
    if _SETTINGS not in os.environ or os.environ.get(_TAKEN) == str(os.getpid()):
        return
    found = _program(getattr(sys, "orig_argv", []))
    if found is None or _is_helper(*found[1][:2]):
        return
    if importlib.util.find_spec("durably") is None:
        _tell_that_durably_is_missing()
        return
    os.environ[_TAKEN] = str(os.getpid())
    os.execv(sys.executable, [sys.executable, *found[0], "-c", _START, *found[1]])


def _tell_that_durably_is_missing() -> None:
    place = json.loads(os.environ[_SETTINGS])["place"]
    try:
        with open(os.path.join(place, "without-%d" % os.getpid()), "w") as file:
            file.write(sys.executable)
    except OSError:
        pass


_execute_the_next()
_hand_over()
