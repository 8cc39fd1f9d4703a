"""Names of classes: how the journal names one, and under which rule a name finds one again.

Nothing here runs code of the classes or modules it looks at: attributes are read from
``__dict__``s, past module ``__getattr__``, lazy modules, descriptors and metaclasses.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...errors import DecodeError

_CACHE_SIZE = 1_000

HINT: Final = ":"
"""Written in place of the name of the class that the caller supplies at both ends."""


def mapping_of(owner: Any) -> Mapping[str, Any]:
    """Return the ``__dict__`` of a module or class, running no code of theirs."""
    kind = type if issubclass(type(owner), type) else types.ModuleType
    found: Mapping[str, Any] = kind.__getattribute__(owner, "__dict__")
    return found


def ancestry(cls: type) -> tuple[type, ...]:
    """Return the class and its bases in method resolution order."""
    found: tuple[type, ...] = type.__getattribute__(cls, "__mro__")
    return found


def reference(thing: Any) -> str:
    """Return ``module:qualname``; a parametrised pydantic class names its arguments as well."""
    if not issubclass(type(thing), type):
        return f"{thing.__module__}:{thing.__qualname__}"
    generic: Any = mapping_of(thing).get("__pydantic_generic_metadata__")
    if generic and generic.get("origin"):
        inside = ",".join(_argument(part) for part in generic["args"])
        return f"{reference(generic['origin'])}[{inside}]"
    module, name = (type.__getattribute__(thing, part) for part in ("__module__", "__qualname__"))
    return f"{module}:{name}"


def _argument(thing: Any) -> str:
    return reference(thing) if isinstance(thing, type) else repr(thing)


def loaded(name: str) -> Any:
    """Return what ``module:qualname`` names in a module that is loaded, else None."""
    module_name, _, path = name.partition(":")
    module = sys.modules.get(module_name)
    if module is None or not path or not issubclass(type(module), types.ModuleType):
        return None
    plain, bracket, _ = path.partition("[")
    scope: Any = module
    for part in plain.split("."):
        if scope is None or not (scope is module or issubclass(type(scope), type)):
            return None
        scope = mapping_of(scope).get(part)
    return _parametrised(scope, name) if bracket else scope


def _parametrised(origin: Any, name: str) -> Any:
    """Find ``Model[argument]`` among the subclasses of its origin; the newest one wins."""
    if origin is None or not issubclass(type(origin), type):
        return None
    candidates = reversed(type.__subclasses__(origin))
    return next((cls for cls in candidates if reference(cls) == name), None)


class Classes:
    """Finds classes under the codec's rule.

    Args:
        allow: Packages whose data classes may be imported when a journal names them.
    """

    def __init__(self, allow: Iterable[str]) -> None:
        self._allow = tuple(allow)
        self._names: dict[type, str] = {}

    def name(self, cls: type) -> str | None:
        """Return the name under which *cls* can be found again, or None."""
        try:
            return self._names[cls]
        except KeyError:
            pass
        name = reference(cls)
        if loaded(name) is not cls:
            return None  # not remembered: its module may still be loading
        if len(self._names) >= _CACHE_SIZE:
            self._names.clear()
        self._names[cls] = name
        return name

    def find(self, name: str) -> Any:
        """Return what *name* names, or None if the rule does not let it be found.

        Raises:
            DecodeError: Its module may be imported, and that failed.
        """
        module = name.partition(":")[0]
        if module not in sys.modules and self._may_import(module):
            try:
                importlib.import_module(module)
            except Exception as error:
                raise DecodeError(
                    f"the journal names {name!r}, and importing its module failed: "
                    f"{type(error).__name__}: {error}"
                ) from error
        return loaded(name)

    def _may_import(self, module: str) -> bool:
        return any(module == package or module.startswith(package + ".") for package in self._allow)


@dataclasses.dataclass(frozen=True, slots=True)
class Hinted:
    """The classes that a caller's hint makes known, whatever their names."""

    names: Mapping[type, str]
    classes: Mapping[str, type]


NOTHING_HINTED: Final = Hinted({}, {})


@functools.lru_cache(maxsize=256)
def hinted(hint: Any) -> Hinted:
    """Return what *hint* makes known: itself, and classes defined in functions that it refers to.

    Those are found by the annotations of its fields, so that a response model with nested models
    survives although all of them are local to a function.
    """
    names: dict[type, str] = {}
    classes: dict[str, type] = {}
    for cls in _reachable(hint):
        if cls is hint or "<locals>" in cls.__qualname__:
            name = HINT if cls is hint else HINT + reference(cls)
            if name not in classes:
                names[cls] = name
                classes[name] = cls
    return Hinted(names, classes)


def _reachable(hint: Any) -> Iterator[type]:
    """Yield the classes that *hint* consists of and those that their fields are annotated with."""
    seen: set[int] = set()
    waiting = [hint]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        waiting.extend(typing.get_args(part))
        if isinstance(part, type) and not isinstance(part, types.GenericAlias):
            yield part
            waiting.extend(_annotated(part))


def _annotated(cls: type) -> Iterator[Any]:
    models: Any = getattr(cls, "model_fields", None)
    if isinstance(models, Mapping):
        yield from (field.annotation for field in models.values() if hasattr(field, "annotation"))
    elif dataclasses.is_dataclass(cls):
        yield from (field.type for field in dataclasses.fields(cls))
    elif issubclass(cls, tuple):
        yield from getattr(cls, "__annotations__", {}).values()
