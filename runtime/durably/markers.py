"""The markers of hook specifications and of their implementations.

They lie on the ground so that adapters can mark a hook without the room that loads plug-ins.
"""

from __future__ import annotations

import pluggy

PROJECT = "durably"
"""The name that plug-ins and specifications share (pluggy's project name)."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
