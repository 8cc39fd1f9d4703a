"""Puts seams in the moment a framework's module is imported, early or late."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ._adapter import Adapter
from ._compatibility import check
from ._install_state import Standing
from ._patches import install

if TYPE_CHECKING:
    import importlib.abc

_Key: TypeAlias = tuple[type[Adapter], str]
"""What is the same for the adapters of one kind that several hosts have."""


def activate(adapters: Iterable[Adapter]) -> None:
    """Put in the seams of modules that are imported, and watch for those that are not.

    Safe to call again; classes and modules that came since are caught up with.

    Raises:
        AdapterMismatch: An installed framework does not fit its adapter.
    """
    watch = _watch()
    for adapter in adapters:
        if watch.holds(adapter):
            continue
        modules = {seam.module for seam in adapter.seams}
        loaded = {name for name in modules if _is_loaded(name)}
        watch.check(adapter, loaded)
        for name in sorted(loaded):
            install(adapter, name)
        watch.expect(adapter, modules - loaded)
        watch.note(adapter, loaded)


def deactivate(adapters: Iterable[Adapter]) -> None:
    """Stop watching for the adapters' modules; seams that are in stay in, inert outside of runs."""
    watch = _watch()
    for adapter in adapters:
        watch.forget(adapter)


def _is_loaded(name: str) -> bool:
    module = sys.modules.get(name)
    if module is None:
        return False
    spec = getattr(module, "__spec__", None)
    return not getattr(spec, "_initializing", False)


def _watch() -> ImportWatch:
    for finder in sys.meta_path:
        if isinstance(finder, ImportWatch):
            return finder
    made = ImportWatch()
    sys.meta_path.insert(0, made)
    return made


class ImportWatch:
    """A finder that finds nothing itself; it adds a last step to the import of awaited modules.

    It has no base from ``importlib.abc``, which it takes longer to import than this whole room.
    """

    def __init__(self) -> None:
        self._awaited: dict[str, dict[_Key, Adapter]] = {}
        self._fitting: dict[_Key, set[str]] = {}
        self._standing: dict[_Key, Standing] = {}
        self._finding: set[str] = set()

    def check(self, adapter: Adapter, modules: set[str]) -> None:
        """Check those of *modules* that were not found to fit before; each run begins with it."""
        fitting = self._fitting.setdefault(_key(adapter), set())
        if not modules <= fitting:
            check(adapter, modules - fitting)
            fitting |= modules

    def note(self, adapter: Adapter, modules: set[str]) -> None:
        """Remember how the adapter's seams in *modules* stand, which were just put in."""
        self._standing[_key(adapter)] = Standing(adapter, modules)

    def holds(self, adapter: Adapter) -> bool:
        """Say whether the adapter's seams are as they were when they were last put in."""
        standing = self._standing.get(_key(adapter))
        return standing is not None and standing.seams == adapter.seams and standing.holds()

    def expect(self, adapter: Adapter, modules: Iterable[str]) -> None:
        """Install *adapter* when one of *modules* is imported, after those expected before."""
        for name in modules:
            self._awaited.setdefault(name, {}).setdefault(_key(adapter), adapter)

    def forget(self, adapter: Adapter) -> None:
        """Await nothing for *adapter* any more."""
        self._standing.pop(_key(adapter), None)
        for waiting in self._awaited.values():
            waiting.pop(_key(adapter), None)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Find an awaited module with the other finders, and have its import reported."""
        del path, target
        if fullname in self._finding or not self._awaited.get(fullname):
            return None
        self._finding.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._finding.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("importlib.abc.Loader", _Reporting(spec.loader, self))
        return spec

    def imported(self, name: str) -> None:
        """Install the adapters that waited for *name*, which was just executed.

        Raises:
            AdapterMismatch: The import fails with it, and so will the next attempt.
        """
        for adapter in [*self._awaited.get(name, {}).values()]:
            check(adapter, {name})
            install(adapter, name)
        self._awaited.pop(name, None)


def _key(adapter: Adapter) -> _Key:
    return type(adapter), adapter.name


class _Reporting:
    """The real loader, reporting when it is done; out of sight afterwards."""

    def __init__(self, loader: Any, watch: ImportWatch) -> None:
        self._loader = loader
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """Let the real loader make the module."""
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, then install what waited for it."""
        spec = module.__spec__
        module.__loader__ = self._loader
        if spec is not None:
            spec.loader = self._loader
        self._loader.exec_module(module)
        self._watch.imported(module.__name__)
