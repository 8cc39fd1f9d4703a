"""What plug-ins add: hook specifications, their discovery, and listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..listeners import Listener as Listener
from ..listeners import Listeners as Listeners
from .lent_names import lent as lent
from .manager import DISABLE as DISABLE
from .manager import PluginInfo as PluginInfo
from .manager import Plugins as Plugins

if TYPE_CHECKING:
    from .specs import hookimpl as hookimpl
    from .specs import hookspec as hookspec
else:

    def __getattr__(name: str) -> object:
        """Import pluggy for those only who mark a hook."""
        if name in {"hookimpl", "hookspec"}:
            from . import specs

            return getattr(specs, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
