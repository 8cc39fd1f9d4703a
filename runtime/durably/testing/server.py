"""The model server as a process of its own: ``python -m durably.testing.server``.

It prints its base URL as the first line of its output, then serves until its parent process
ends, its lifetime is over, or it is interrupted::

    $ python -m durably.testing.server --script crew --requests requests.jsonl
    http://127.0.0.1:49152/v1
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from .demos import SCRIPTS
from .model_server.script import Rule, load_rules
from .model_server.server import ModelServer

_LOOK_EVERY = 0.25


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a script as the command line says.

    Args:
        arguments: The command line after the program's name; by default that of this process.

    Returns:
        The exit status: 0, or 2 if the script or the port cannot be used.
    """
    options = _parser().parse_args(arguments)
    parent = os.getppid()
    try:
        server = ModelServer(
            _rules(options.script),
            port=options.port,
            record_to=options.requests,
            delay=options.delay,
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"durably.testing.server: {error}\n")
        return 2
    with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        _wait(parent, options.lifetime)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m durably.testing.server",
        description="Serve a scripted, OpenAI-compatible model on 127.0.0.1.",
    )
    known = ", ".join(SCRIPTS)
    parser.add_argument("--script", required=True, help=f"a JSON file of rules, or one of: {known}")
    parser.add_argument("--port", type=int, default=0, help="0, the default, picks a free one")
    parser.add_argument("--requests", metavar="FILE", help="append each request as a JSON line")
    parser.add_argument(
        "--delay", type=float, default=0.0, help="seconds to wait before every answer"
    )
    parser.add_argument(
        "--lifetime", type=float, default=600.0, help="seconds after which to end (default 600)"
    )
    return parser


def _rules(name: str) -> Sequence[Rule]:
    return SCRIPTS[name]() if name in SCRIPTS else load_rules(name)


def _wait(parent: int, lifetime: float) -> None:
    """Return when the parent process has changed (the old one ended) or the time is up."""
    end = time.monotonic() + lifetime
    try:
        while os.getppid() == parent and (left := end - time.monotonic()) > 0:
            time.sleep(min(_LOOK_EVERY, left))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    raise SystemExit(main())
