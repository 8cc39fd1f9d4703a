"""Questions over HTTP: each is posted to another service, signed, and may be answered with a token.

Set ``DURABLY_WEBHOOK_URL`` and ``DURABLY_WEBHOOK_SECRET`` (and ``DURABLY_WEBHOOK_CALLBACK``, where
answers are taken), or give a :class:`Webhook` to a host as a listener. The receiver checks what it
gets with :func:`verify`; answers are taken by a :class:`Callback`. Without the variables nothing is
posted.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from durably import hookimpl

from ._signing import BadSignature as BadSignature
from ._signing import verify as verify

if TYPE_CHECKING:
    import click

    from durably import Listener

    from ._callback import Callback as Callback
    from ._posting import Webhook as Webhook
else:

    def __getattr__(name: str) -> object:
        """Import what speaks HTTP for those only who use it: every host loads this plug-in."""
        module = {"Callback": "_callback", "Webhook": "_posting"}.get(name)
        if module is not None:
            return getattr(import_module(f".{module}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_VARIABLE = "DURABLY_WEBHOOK_"


def from_environment() -> Webhook | None:
    """Return the webhook that the environment describes, or None if it names no URL.

    Raises:
        ValueError: The URL is not safe to send to, or there is no good secret.
    """
    url = os.environ.get(f"{_VARIABLE}URL", "")
    if not url:
        return None
    from ._posting import Webhook

    secret = os.environ.get(f"{_VARIABLE}SECRET", "")
    return Webhook(url, secret, callback=os.environ.get(f"{_VARIABLE}CALLBACK", ""))


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
