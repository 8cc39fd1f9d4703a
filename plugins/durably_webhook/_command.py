"""``durably webhook``: post what waits once more, and take answers."""

from __future__ import annotations

import os
from wsgiref.simple_server import WSGIRequestHandler, make_server

import click

from durably import Inbox
from durably.errors import PluginError

from ._callback import Callback
from ._delivery import Webhook
from ._environment import from_environment

_STORE = click.option(
    "--store",
    envvar="DURABLY_STORE",
    default="sqlite:///.durably/journal.db",
    show_default=True,
    help="The journal.",
)


@click.group()
def webhook() -> None:
    """Post questions to another service, and take answers."""


@webhook.command()
@_STORE
def send(store: str) -> int:
    """Post every open question once more, for a service that was away."""
    poster = _poster()
    with Inbox(store) as inbox:
        pending = inbox.pending()
    taken = [question for question in pending if poster.post(question)]
    click.echo(f"{len(taken)} of {len(pending)} open questions posted")
    return 0 if len(taken) == len(pending) else 1


@webhook.command()
@_STORE
@click.option("--port", type=int, default=8383, show_default=True, help="On 127.0.0.1.")
def serve(store: str, port: int) -> int:
    """Take answers on this machine; put a proxy with TLS in front of it."""
    _poster()
    with Inbox(store) as inbox:
        callback = Callback(inbox, os.environ["DURABLY_WEBHOOK_SECRET"])
        with make_server("127.0.0.1", port, callback, handler_class=_Quiet) as server:
            click.echo(f"answers are taken at http://127.0.0.1:{server.server_port}/", err=True)
            server.serve_forever()
    return 0


class _Quiet(WSGIRequestHandler):
    """Writes no line about each request: their bodies hold tokens."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Write nothing."""


def _poster() -> Webhook:
    try:
        found = from_environment()
    except ValueError as error:
        raise PluginError(f"the webhook cannot be used: {error}") from error
    if found is None:
        raise PluginError("set DURABLY_WEBHOOK_URL and DURABLY_WEBHOOK_SECRET first")
    return found
