"""``durably plugins``: what is installed, and what of it is broken."""

from __future__ import annotations

import sys

import click

from ...hooks import PluginInfo
from ..context import Loaded
from ..journal_location import json_option
from ..output.screen import Screen
from ..output.text import as_json, one_line, table


@click.command()
@json_option
@click.pass_obj
def plugins(loaded: Loaded, *, as_json_text: bool) -> int:
    """List plug-ins and whether they work."""
    found = sorted(loaded.plugins.infos, key=lambda one: one.name)
    if as_json_text:
        listed = [
            {"name": one.name, "source": one.source, "status": status(one), "error": one.error}
            for one in found
        ]
        click.echo(as_json({"v": 1, "plugins": listed}))
        return 0
    screen = Screen(sys.stdout)
    if not found:
        screen.line("no plug-ins are installed")
        return 0
    rows = [(one.name, one.source, status(one), one_line(one.error)) for one in found]
    for line in table([("PLUG-IN", "FROM", "STATUS", ""), *rows]):
        screen.line(line)
    return 0


def status(info: PluginInfo) -> str:
    """Return ``ok``, ``broken`` or ``blocked``."""
    return "broken" if info.error else "blocked" if info.blocked else "ok"
