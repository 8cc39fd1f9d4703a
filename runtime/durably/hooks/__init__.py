"""The plug-ins of a host: hook specifications, discovery, and typed calls."""

from __future__ import annotations

from ..listeners import Listener as Listener
from ..listeners import Listeners as Listeners
from .lent_names import lent as lent
from .manager import DISABLE as DISABLE
from .manager import PluginInfo as PluginInfo
from .manager import Plugins as Plugins
