"""What plug-ins add: hook specifications, their discovery, and listeners."""

from __future__ import annotations

from ._lending import lent as lent
from ._plugins import DISABLE as DISABLE
from ._plugins import PluginInfo as PluginInfo
from ._plugins import Plugins as Plugins
from .listeners import Listener as Listener
from .listeners import Listeners as Listeners
from .specs import hookimpl as hookimpl
from .specs import hookspec as hookspec
