"""Who may continue a run: what it was started as, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ResumeError
from ..types import RunView


def continuable(view: RunView, entry: str, former: str = "") -> RunView:
    """Return a run as *entry* continues it.

    Args:
        view: The run.
        entry: What is to continue it: a kind and a name, or a module and a function.
        former: What the same was recorded as before entries had names.

    Raises:
        ResumeError: It was started as something else.
    """
    if view.entry == entry:
        return view
    if former and view.entry == former:
        return replace(view, entry=entry)
    raise ResumeError(
        f"run {view.run} of thread {view.thread!r} was started as {view.entry}, and is now to be "
        f"continued as {entry}. Continue it with the object that started it{_hint(view, entry)}, "
        "or use another thread."
    )


def _hint(view: RunView, entry: str) -> str:
    """Say how an object that was changed stands for the former one, if it is of the same kind."""
    old, new = view.entry.split(":", 2), entry.split(":", 2)
    if len(old) == len(new) == 3 and old[:2] == new[:2]:  # noqa: PLR2004 - adapter, kind, name
        return f" (if this is the same one, changed meanwhile: durably.wrap(…, name={old[2]!r}))"
    return ""


def module_of(func: Callable[..., Any]) -> str:
    """Return the module that a function is known by, also where it is the program's main one.

    ``python app.py``, ``python -m app`` and ``import app`` name the same functions; two scripts
    do not, although both are ``__main__`` while they run.
    """
    if func.__module__ != "__main__":
        return func.__module__
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else func.__module__
