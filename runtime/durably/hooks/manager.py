"""Finds plug-ins and turns what they offer into plain objects. The only caller of pluggy.

It is imported, with all that it takes to find distributions, when the first host is made: that is
a tenth of what ``import durably`` would cost.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from ..errors import DurablyError, PluginError
from ..listeners import Listener
from .discovery import discovered

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    import click

    from ..adapting import Adapter
    from ..engine import Answer, Extension
    from ..journal import Storage, TypeCodec
    from ..types import Interrupt, RunInfo

DISABLE = "DURABLY_DISABLE_PLUGINS"
"""Environment variable: names of plug-ins to leave out, separated by commas."""

_GIVEN = "given in code"


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

    An installed plug-in that cannot be imported, or fails when it is asked what it adds, is kept
    by name and does not break the others. One that is given in code has a caller who can be told.

    Args:
        plugins: Objects with hook implementations, asked before all others.
        discover: Whether entry points are looked up.

    Raises:
        PluginError: One of *plugins* implements no hook that there is.
    """

    def __init__(self, plugins: Iterable[object] = (), *, discover: bool = True) -> None:
        from pluggy import PluginManager

        from ..markers import PROJECT
        from . import builtin as _builtin
        from . import specs

        self._manager = PluginManager(PROJECT)
        self._manager.add_hookspecs(specs)
        self._infos: dict[str, PluginInfo] = {}
        self._manager.register(_builtin, "builtin")
        blocked = {name.strip() for name in os.environ.get(DISABLE, "").split(",")} - {""}
        if discover:
            for point, source in discovered():
                self._load(point, source, is_blocked=point.name in blocked)
        for plugin in plugins:
            self._register(plugin)

    def _load(self, point: EntryPoint, source: str, *, is_blocked: bool) -> None:
        """Load one entry point; a broken one is kept by name and does not break the rest."""
        if is_blocked:
            self._infos[point.name] = PluginInfo(point.name, source, blocked=True)
            return
        if self._manager.has_plugin(point.name) or point.name in self._infos:
            said = f"another plug-in is called {point.name} too"
            self._infos[f"{point.name} of {source}"] = PluginInfo(point.name, source, error=said)
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
        from pluggy import PluginValidationError

        name = getattr(plugin, "__name__", None) or type(plugin).__name__
        if self._manager.is_registered(plugin):  # installed as well: it is asked first all the same
            known = self._manager.get_name(plugin)
            self._manager.unregister(plugin)
            self._infos.pop(known or name, None)
        try:
            registered = self._manager.register(plugin)
            self._check(plugin)
        except (PluginValidationError, ValueError) as error:
            raise PluginError(f"plug-in {name} cannot be used: {error}") from error
        self._infos[registered or name] = PluginInfo(name, _GIVEN)

    def _check(self, plugin: object) -> None:
        """Raise if the plug-in implements a hook that there is not, or wraps one."""
        for caller in self._manager.get_hookcallers(plugin) or ():
            if not caller.has_spec():
                hooks = vars(self._manager.hook).items()
                known = ", ".join(sorted(name for name, one in hooks if one.has_spec()))
                raise PluginError(f"unknown hook {caller.name!r}; there are: {known}")
            for one in caller.get_hookimpls():
                if one.plugin is plugin and (one.wrapper or one.hookwrapper):
                    raise PluginError(
                        f"{caller.name} cannot be wrapped; use tryfirst or trylast to be asked "
                        "before or after others"
                    )

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
        return [one for found in self._each("register_adapters") for one in found]

    def codecs(self) -> list[TypeCodec[Any]]:
        """Return every codec that belongs to no adapter."""
        return [one for found in self._each("register_codecs") for one in found]

    def listeners(self) -> list[Listener]:
        """Return every listener, in the order in which they are told."""
        return [one for found in self._each("register_listeners") for one in found]

    def add_commands(self, group: click.Group) -> None:
        """Let plug-ins add their subcommands to *group*."""
        for _ in self._each("register_commands", commands=group):
            pass

    def open_storage(self, url: str) -> Storage:
        """Open the journal at *url*.

        Raises:
            PluginError: No plug-in knows the URL's scheme.
        """
        return cast("Storage", self._open("open_storage", "storage", url))

    def open_cache(self, url: str) -> Any:
        """Open the step cache at *url*.

        Raises:
            PluginError: No plug-in knows the URL's scheme.
        """
        return self._open("open_cache", "cache", url)

    def open_store(self, url: str) -> Any:
        """Open the long-term memory at *url*.

        Raises:
            PluginError: No plug-in knows the URL's scheme.
        """
        return self._open("open_store", "store", url)

    def lent(self, name: str) -> object:
        """Ask the plug-ins for the object that ``durably`` lends under *name*; None if none do."""
        return cast("object", self._manager.hook.lend_name(name=name))

    def answer(self, interrupt: Interrupt, run: RunInfo) -> Answer | None:
        """Ask the plug-ins for an answer to a question."""
        found = self._manager.hook.answer_interrupt(interrupt=interrupt, run=run)
        return cast("Answer | None", found)

    def escalate(self, interrupt: Interrupt, run: RunInfo) -> Answer | Extension | None:
        """Ask the plug-ins about a question whose deadline is over."""
        found = self._manager.hook.escalate_interrupt(interrupt=interrupt, run=run)
        return cast("Answer | Extension | None", found)

    @property
    def know_prices(self) -> bool:
        """Whether any of them says what models cost."""
        return bool(self._manager.hook.price.get_hookimpls())

    def price(self, model: str, usage: Mapping[str, Any]) -> float | None:
        """Ask the plug-ins what a model call cost."""
        return cast("float | None", self._manager.hook.price(model=model, usage=usage))

    def _each(self, hook: str, **given: Any) -> Iterator[list[Any]]:
        """Yield what each plug-in returns from a hook, the ones to be asked first in front."""
        for one in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            try:
                found = list(one.function(*(given[name] for name in one.argnames)) or ())
            except Exception as error:
                self._failed(one.plugin_name, hook, error)
            else:
                yield found

    def _failed(self, name: str, hook: str, error: Exception) -> None:
        """Keep the plug-in as a broken one; raise if it was given in code."""
        said = f"{hook}() raised {type(error).__name__}: {error}"
        info = self._infos[name]
        if info.source == _GIVEN:
            raise PluginError(f"plug-in {info.name} cannot be used: {said}") from error
        self._infos[name] = replace(info, error=said)

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
