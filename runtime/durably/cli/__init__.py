"""The ``durably`` command. Nothing else in the runtime imports click."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ..errors import DurablyError
from .app import Commands
from .context import Loaded
from .output.errors import message_of

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as in a shell."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done; 1: failed; 2: the command line is wrong; 75 (``EX_TEMPFAIL`` of sysexits.h): a run
    waits for a person; 130: interrupted. A script's own exit code is passed on.

    Args:
        argv: The arguments after the program's name; by default those of this process.
    """
    try:
        code = Commands().main(
            args=None if argv is None else list(argv),
            prog_name="durably",
            standalone_mode=False,
            windows_expand_args=False,
            obj=Loaded(),
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except DurablyError as error:
        sys.stderr.write(f"durably: {message_of(error)}\n")
        return 1
    return code if isinstance(code, int) else 0
