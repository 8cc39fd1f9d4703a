"""Names that ``durably`` lends from plug-ins, imported when somebody asks for one."""

from __future__ import annotations

from typing import Any

from .discovery import discovered


def lent(plugin: str, name: str) -> Any:
    """Return what a plug-in calls *name*.

    Args:
        plugin: The plug-in's entry point.
        name: An attribute of the module that it names.

    Raises:
        ImportError: The plug-in is not there, or something that it needs is not.
    """
    for point, _ in discovered():
        if point.name == plugin:
            return getattr(point.load(), name)
    raise ImportError(
        f"durably.{name} comes with the plug-in {plugin!r}, which is not installed. Install "
        "durably again (`python -m pip install durably`).",
        name="durably",
    )
