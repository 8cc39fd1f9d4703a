"""Questions over HTTP: each is posted to another service, signed, and may be answered with a token.

Set ``DURABLY_WEBHOOK_URL`` and ``DURABLY_WEBHOOK_SECRET`` (and ``DURABLY_WEBHOOK_CALLBACK``, where
answers are taken), or give a :class:`Webhook` to a host as a listener. The receiver checks what it
gets with :func:`verify`; answers are taken by a :class:`Callback`. Without the variables nothing is
posted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from durably import hookimpl

from ._environment import from_environment as from_environment
from ._signatures import BadSignature as BadSignature
from ._signatures import verify as verify

if TYPE_CHECKING:
    import click

    from durably import Listener

    from ._callback import Callback as Callback
    from ._delivery import Webhook as Webhook
else:

    def __getattr__(name: str) -> object:
        """Import what speaks HTTP for those only who use it: every host loads this plug-in."""
        module = {"Callback": "_callback", "Webhook": "_delivery"}.get(name)
        if module is not None:
            return getattr(import_module(f".{module}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@hookimpl
def register_listeners() -> list[Listener]:
    """Offer the listener, if the environment asks for it."""
    found = from_environment()
    return [found] if found is not None else []


@hookimpl
def register_commands(commands: click.Group) -> None:
    """Add ``durably webhook``."""
    from ._command import webhook

    commands.add_command(webhook)
