"""``python -m durably``: the same as the ``durably`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    from .cli import main as run
    from .cli.process_exit import exit_with

    exit_with(run)


if __name__ == "__main__":
    main()
