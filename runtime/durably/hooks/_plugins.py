"""Finds plug-ins and turns what they offer into plain objects. The only caller of pluggy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import pluggy

from ..errors import DurablyError, PluginError
from . import _builtin, specs
from .listeners import Listener

if TYPE_CHECKING:
    import click

    from ..adapting import Adapter
    from ..engine import Answer
    from ..journal import Storage, TypeCodec
    from ..types import Interrupt, RunInfo

DISABLE = "DURABLY_DISABLE_PLUGINS"
"""Environment variable: names of plug-ins to leave out, separated by commas."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plug-in, as ``durably plugins`` shows it.

    Attributes:
        name: Its entry point's name.
        source: Distribution and version, or the module it came from.
        error: Why it could not be loaded, if it could not.
        blocked: Whether :data:`DISABLE` leaves it out.
    """

    name: str
    source: str
    error: str = ""
    blocked: bool = False


class Plugins:
    """The plug-ins of one host, behind typed methods.

    Args:
        plugins: Objects with hook implementations, asked before all others.
        discover: Whether entry points are looked up.
    """

    def __init__(self, plugins: Iterable[object] = (), *, discover: bool = True) -> None:
        self._manager = pluggy.PluginManager(specs.PROJECT)
        self._manager.add_hookspecs(specs)
        self._infos: dict[str, PluginInfo] = {}
        self._manager.register(_builtin, "builtin")
        blocked = {name.strip() for name in os.environ.get(DISABLE, "").split(",")} - {""}
        if discover:
            for point in sorted(entry_points(group=specs.PROJECT), key=lambda p: p.name):
                self._load(point, is_blocked=point.name in blocked)
        for plugin in plugins:
            self._register(plugin)

    def _load(self, point: EntryPoint, *, is_blocked: bool) -> None:
        """Load one entry point; a broken one is kept by name and does not break the rest."""
        source = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        if self._manager.has_plugin(point.name):
            return
        if is_blocked:
            self._infos[point.name] = PluginInfo(point.name, source, blocked=True)
            return
        try:
            module = point.load()
            self._manager.register(module, point.name)
            self._check(module)
        except Exception as error:
            if self._manager.has_plugin(point.name):
                self._manager.unregister(name=point.name)
            said = f"{type(error).__name__}: {error}"
            self._infos[point.name] = PluginInfo(point.name, source, error=said)
        else:
            self._infos[point.name] = PluginInfo(point.name, source)

    def _register(self, plugin: object) -> None:
        name = getattr(plugin, "__name__", None) or type(plugin).__name__
        try:
            registered = self._manager.register(plugin)
            self._check(plugin)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plug-in {name} cannot be used: {error}") from error
        self._infos[registered or name] = PluginInfo(name, "given in code")

    def _check(self, plugin: object) -> None:
        """Raise if the plug-in implements a hook that there is not (a misspelt name)."""
        for caller in self._manager.get_hookcallers(plugin) or ():
            if not caller.has_spec():
                known = ", ".join(sorted(vars(self._manager.hook)))
                raise PluginError(f"unknown hook {caller.name!r}; there are: {known}")

    @property
    def infos(self) -> list[PluginInfo]:
        """Every plug-in that was found, the broken and blocked ones included."""
        return list(self._infos.values())

    @property
    def broken(self) -> Mapping[str, str]:
        """Why plug-ins could not be loaded, by name."""
        return {info.name: info.error for info in self._infos.values() if info.error}

    def adapters(self) -> list[Adapter]:
        """Return every adapter, the ones to be asked first in front."""
        return list(self._all("register_adapters"))

    def codecs(self) -> list[TypeCodec[Any]]:
        """Return every codec that belongs to no adapter."""
        return list(self._all("register_codecs"))

    def listeners(self) -> list[Listener]:
        """Return every listener, in the order in which they are told."""
        return list(self._all("register_listeners"))

    def add_commands(self, group: click.Group) -> None:
        """Let plug-ins add their subcommands to *group*."""
        self._manager.hook.register_commands(commands=group)

    def open_storage(self, url: str) -> Storage:
        """Open the journal at *url*.

        Raises:
            PluginError: No plug-in knows the URL's scheme.
        """
        return cast("Storage", self._open("open_storage", "storage", url))

    def answer(self, interrupt: Interrupt, run: RunInfo) -> Answer | None:
        """Ask the plug-ins for an answer to a question."""
        found = self._manager.hook.answer_interrupt(interrupt=interrupt, run=run)
        return cast("Answer | None", found)

    def price(self, model: str, usage: Mapping[str, Any]) -> float | None:
        """Ask the plug-ins what a model call cost."""
        return cast("float | None", self._manager.hook.price(model=model, usage=usage))

    def _all(self, hook: str) -> Iterable[Any]:
        caller = getattr(self._manager.hook, hook)
        return chain.from_iterable(cast("list[Iterable[Any]]", caller()))

    def _open(self, hook: str, what: str, url: str) -> object:
        try:
            found = getattr(self._manager.hook, hook)(url=url)
        except DurablyError:
            raise
        except Exception as error:
            error.add_note(f"raised by the plug-in that opens {what} {url!r}")
            raise
        if found is not None:
            return cast("object", found)
        hint = "".join(f" Plug-in {n} failed to load: {why}." for n, why in self.broken.items())
        raise PluginError(
            f"no {what} knows {url!r}. Built in are 'memory:' and 'sqlite:///path'; "
            f"others come with plug-ins (`durably plugins` lists yours).{hint}"
        )
