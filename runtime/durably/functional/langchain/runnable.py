"""Entrypoints as langchain-core ``Runnable``s, with langchain-core imported only by who uses it.

An entrypoint is registered as a virtual subclass of ``Runnable`` when that class is imported, and
hands what only a real one can do (``|``, ``with_config``, ``astream_events``, schemas …) to a real
one made around it.
"""

from __future__ import annotations

import sys
from typing import Any

from ...adapting import Adapter, Seam, activate

_BASE = "langchain_core.runnables.base"


def _register(cls: type) -> None:
    base = sys.modules.get(_BASE)
    if base is not None:
        base.Runnable.register(cls)


class _RunnableAdapter(Adapter):
    """Registers entrypoints as runnables when langchain-core is imported."""

    name = "runnable"
    distribution = "langchain-core"
    # A seam that changes nothing: it is there so that the module is awaited.
    seams = (
        Seam(
            f"{_BASE}:coerce_to_runnable",
            "support",
            lambda _scope, original, thing: original(thing),
            "entrypoints in langchain pipelines",
            optional=True,
        ),
    )

    def __init__(self, cls: type) -> None:
        self._cls = cls

    def installed(self) -> None:
        _register(self._cls)


class Piped:
    """What makes an entrypoint usable as a ``Runnable``."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        activate([_RunnableAdapter(cls)])

    def as_runnable(self) -> Any:
        """Return a real langchain-core ``Runnable`` that invokes this entrypoint."""
        made = self.__dict__.get("_runnable")
        if made is None:
            from .langchain_runnable import EntrypointRunnable

            made = self.__dict__["_runnable"] = EntrypointRunnable(self)
        return made

    def __or__(self, other: Any) -> Any:
        """Pipe this entrypoint's value into *other*."""
        return self.as_runnable() | other

    def __ror__(self, other: Any) -> Any:
        """Pipe *other*'s value into this entrypoint."""
        return other | self.as_runnable()

    def __getattr__(self, name: str) -> Any:
        """Hand what only a real runnable can do to one."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.as_runnable(), name)
