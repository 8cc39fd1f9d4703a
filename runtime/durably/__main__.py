"""``python -m durably``: the same as the ``durably`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    from .cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
