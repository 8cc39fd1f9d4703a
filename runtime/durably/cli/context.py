"""The object that the commands of one invocation share."""

from __future__ import annotations

from functools import cached_property

from ..hooks import Plugins


class Loaded:
    """The context object of click: the plug-ins of this invocation.

    Attributes:
        plugins: The installed plug-ins, looked up when first asked for.
    """

    @cached_property
    def plugins(self) -> Plugins:
        """The installed plug-ins."""
        return Plugins()
