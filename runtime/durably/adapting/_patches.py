"""Puts seams into a framework and takes them out again.

Functions are replaced on the class or module that defines them; no object of the user's is
touched. A replaced function asks one context variable whether it is called inside a run, and calls
the original if it is not. Everything needed to undo a replacement is on the replacement itself, so
hosts that come and go share one set of patches.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ._adapter import Adapter, Problem, Seam
from ._replacement import gate

_MARK = "__durably_seam__"
_HOOK = "__durably_subclass_seams__"
_OWN_INIT = "__durably_own_init_subclass__"


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What a seam's function remembers.

    Attributes:
        raw: What stood in its place.
        inherited: Whether that was a base's; the place itself had nothing.
        by: The function, since others copy its attributes when they decorate it.
    """

    raw: Any
    inherited: bool
    by: Callable[..., Any]


def install(adapter: Adapter, module: str) -> None:
    """Put in every seam of *adapter* that lives in *module*, which is imported.

    Idempotent, and cheap where the seams are in already: each run begins with it.
    """
    is_new = False
    for seam in adapter.seams:
        if seam.module != module:
            continue
        if _stands(seam):
            if seam.subclasses:
                _put_in(seam)
        elif problem(seam) is None:
            _put_in(seam)
            is_new = True
    if is_new:
        adapter.installed()


def uninstall(adapter: Adapter) -> None:
    """Take out every seam of *adapter*; the framework's own functions are back in place."""
    for seam in adapter.seams:
        if seam.module not in sys.modules or problem(seam) is not None:
            continue
        owner, name, _ = find(seam)
        for place in _places(owner, seam):
            _restore(place, name)
        if seam.subclasses:
            _unhook_subclasses(owner, name)
    adapter.uninstalled()


def problems(adapter: Adapter, modules: Iterable[str] | None = None) -> list[Problem]:
    """Return the seams that imported modules do not offer; optional ones are not missed.

    Args:
        adapter: Whose seams.
        modules: Only those in these modules; None for all that are imported.
    """
    wanted = sys.modules.keys() if modules is None else set(modules)
    return [
        found
        for seam in adapter.seams
        if seam.module in wanted and not seam.optional and (found := problem(seam)) is not None
    ]


def problem(seam: Seam) -> Problem | None:
    """Return what is wrong with one seam in the imported framework, or None."""
    try:
        _, _, found = find(seam)
    except AttributeError as error:
        return Problem(seam, f"{seam.target} is gone ({error})")
    except KeyError:
        return Problem(seam, f"module {seam.module} is not there")
    function = _function(found)
    if function is None or isinstance(found, property) != seam.getter:
        wanted = "property" if seam.getter else "function"
        return Problem(seam, f"{seam.target} is no {wanted} any more")
    taken = inspect.signature(function).parameters
    missing = [name for name in seam.params if name not in taken]
    if missing and not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return Problem(seam, f"{seam.target} no longer takes {', '.join(missing)}")
    return None


def is_in(seam: Seam) -> bool:
    """Say whether the seam has taken hold."""
    try:
        owner, name, found = find(seam)
    except (AttributeError, KeyError):
        return False
    return bool(_replaced(found)) or any(
        _replaced(vars(place).get(name)) for place in _places(owner, seam)
    )


def is_gated(function: object) -> bool:
    """Say whether a function, as it lies in its class, is one that stands in a seam's place."""
    return _replaced(function) is not None


def _stands(seam: Seam) -> bool:
    """Say whether the seam was put in before; an abstract one is in its subclasses alone."""
    try:
        owner, name, found = find(seam)
    except (AttributeError, KeyError):
        return False
    return _replaced(found) is not None or name in vars(owner).get(_HOOK, {})


def refresh(adapter: Adapter) -> None:
    """Put seams into classes defined since :func:`install`, past an ``__init_subclass__``."""
    for seam in adapter.seams:
        if seam.subclasses and seam.module in sys.modules and problem(seam) is None:
            _put_in(seam)


def _put_in(seam: Seam) -> None:
    owner, name, found = find(seam)
    for place in _places(owner, seam):
        _replace(place, name, seam, found if place is owner else None)
    if seam.subclasses:
        _hook_subclasses(owner, name, seam)


def find(seam: Seam) -> tuple[Any, str, Any]:
    """Return the seam's owner, its name there, and the raw attribute.

    Raises:
        KeyError: Its module is not imported.
        AttributeError: The framework has nothing of that name.
    """
    module, _, path = seam.target.partition(":")
    owner: Any = sys.modules[module]
    *parents, name = path.split(".")
    for part in parents:
        owner = getattr(owner, part)
    try:
        return owner, name, vars(owner)[name]
    except (KeyError, TypeError):
        return owner, name, inspect.getattr_static(owner, name)


def _places(owner: Any, seam: Seam) -> Iterator[Any]:
    yield owner
    if seam.subclasses:
        for cls in type.__subclasses__(owner):
            yield from _places(cls, seam)


def _replace(place: Any, name: str, seam: Seam, inherited: Any = None) -> None:
    """Put a seam into one class or module; *inherited* is what to gate if it has nothing itself."""
    raw = vars(place).get(name, inherited)
    function = _function(raw)
    if function is None or _replaced(raw) or getattr(function, "__isabstractmethod__", False):
        return
    made: Any = gate(function, seam)
    setattr(made, _MARK, _Replaced(raw, name not in vars(place), made))
    if isinstance(raw, staticmethod | classmethod):
        made = type(raw)(made)
    elif isinstance(raw, property):
        made = property(made, raw.fset, raw.fdel, raw.__doc__)
    setattr(place, name, made)


def _restore(place: Any, name: str) -> None:
    stands = vars(place).get(name)
    replaced = _replaced(stands)
    if replaced is None or replaced.by is not _function(stands):
        return
    if replaced.inherited:
        delattr(place, name)
    else:
        setattr(place, name, replaced.raw)


def _function(raw: Any) -> Callable[..., Any] | None:
    function = raw
    if isinstance(raw, staticmethod | classmethod):
        function = raw.__func__
    elif isinstance(raw, property):
        function = raw.fget
    return function if inspect.isfunction(function) or inspect.isbuiltin(function) else None


def _replaced(raw: Any) -> _Replaced | None:
    """Return what a seam's function remembers, be it *raw* or under a decorator; else None."""
    return getattr(_function(raw), _MARK, None)


def _hook_subclasses(base: Any, name: str, seam: Seam) -> None:
    """Have classes that are derived from *base* later get the seam too."""
    if _HOOK not in vars(base):
        own: Any = vars(base).get("__init_subclass__")

        def init_subclass(cls: type, /, **kwargs: Any) -> None:
            if own is not None:
                own.__func__(cls, **kwargs)
            else:
                super(base, cls).__init_subclass__(**kwargs)
            for hooked, each in vars(base)[_HOOK].items():
                _replace(cls, hooked, each)

        # Past the metaclass: pydantic's looks at what is set on a model.
        type.__setattr__(base, _HOOK, {})
        type.__setattr__(base, _OWN_INIT, own)
        type.__setattr__(base, "__init_subclass__", classmethod(init_subclass))
    vars(base)[_HOOK][name] = seam


def _unhook_subclasses(base: Any, name: str) -> None:
    hooked = vars(base).get(_HOOK, {})
    if hooked.pop(name, None) is None or hooked:
        return
    own = vars(base)[_OWN_INIT]
    if own is None:
        type.__delattr__(base, "__init_subclass__")
    else:
        type.__setattr__(base, "__init_subclass__", own)
    type.__delattr__(base, _HOOK)
    type.__delattr__(base, _OWN_INIT)
