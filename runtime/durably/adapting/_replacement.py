"""The function that stands in a seam's place, and cannot be told from the original.

It is no ``functools.wraps``: programs and their tests look for ``__wrapped__`` to see whether they
wrapped a function themselves. What else reads a function finds what it would find on the original:
name, documentation, signature, and the globals in which its annotations are evaluated.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..engine import Dormant, Scope, current, is_in_child
from ._adapter import Seam

_log = logging.getLogger("durably")


def gate(original: Callable[..., Any], seam: Seam) -> Callable[..., Any]:
    """Return what is put in *original*'s place: it calls the seam inside a run."""
    if inspect.isasyncgenfunction(seam.around):
        made = _stream(original, seam, _scope_for)
    elif inspect.iscoroutinefunction(seam.around):
        made = _coroutine(original, seam, _scope_for)
    else:
        made = _call(original, seam, _scope_for)
    return _likened(made, original)


def live_scope() -> Scope | None:
    """Return the current scope unless its run is over (a thread may outlive the run)."""
    scope = current()
    if scope is None or (isinstance(scope, Dormant) and not scope.is_awake):
        return None
    return None if scope.run.over else scope


def _scope_for(seam: Seam) -> Scope | None:
    """Return the scope in which *seam* acts, or None for the original.

    What a suspended or failed run left behind (a thread, a task) takes no more paid or effectful
    steps: such a seam still gets its scope, in which they are refused.
    """
    scope = current()
    if scope is None:
        if seam.essential and is_in_child():
            _tell_of_child(os.getpid())
        return None
    if isinstance(scope, Dormant) and not scope.is_awake:
        return _scope_of_dormant(scope, seam)
    if not scope.run.over:
        return scope
    return scope if scope.run.cut and seam.essential else None


@functools.cache
def _tell_of_child(process: int) -> None:
    """Say once in a forked child that its steps are not recorded."""
    _log.warning(
        "process %d was forked inside a durable run: its model calls and tools are not recorded, "
        "and are made again when the run is continued. Call them in the parent, or in a run of the "
        "child's own (durably.wrap, @entrypoint).",
        process,
    )


def _scope_of_dormant(scope: Dormant, seam: Seam) -> Scope | None:
    """Have a program's run begin at the first seam of a framework that works.

    Not before: a thread is no reason, and a command that only starts other programs may ask its
    user something, too.
    """
    if seam.kind == "support":
        return scope if seam.carries else None
    return None if seam.kind == "human" else scope.awake()


_Find = Callable[[Seam], Scope | None]

# What the gates refer to is handed to them, since they are given the globals of their originals.


def _call(original: Callable[..., Any], seam: Seam, scope_for: _Find) -> Callable[..., Any]:
    around, outside = seam.around, seam.outside

    def gated(*args: Any, **kwargs: Any) -> Any:
        scope = scope_for(seam)
        if scope is None and not outside:
            return original(*args, **kwargs)
        return around(scope, original, *args, **kwargs)

    return gated


def _coroutine(original: Callable[..., Any], seam: Seam, scope_for: _Find) -> Callable[..., Any]:
    around, outside = seam.around, seam.outside

    async def gated(*args: Any, **kwargs: Any) -> Any:
        scope = scope_for(seam)
        if scope is None and not outside:
            return await original(*args, **kwargs)
        return await around(scope, original, *args, **kwargs)

    return gated


def _stream(original: Callable[..., Any], seam: Seam, scope_for: _Find) -> Callable[..., Any]:
    around, outside = seam.around, seam.outside

    async def gated(*args: Any, **kwargs: Any) -> Any:
        scope = scope_for(seam)
        called = scope is not None or outside
        source = around(scope, original, *args, **kwargs) if called else original(*args, **kwargs)
        try:
            async for item in source:
                yield item
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    return gated


def _likened(made: Any, original: Any) -> Callable[..., Any]:
    own = getattr(original, "__globals__", made.__globals__)  # a built-in function has none
    like: Any = FunctionType(made.__code__, own, closure=made.__closure__)
    functools.update_wrapper(like, original)
    like.__signature__ = inspect.signature(original)
    wrapped = getattr(original, "__dict__", {}).get("__wrapped__")
    if wrapped is None:
        del like.__wrapped__
    else:
        like.__wrapped__ = wrapped
    return like  # type: ignore[no-any-return]
