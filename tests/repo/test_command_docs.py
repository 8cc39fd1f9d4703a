"""The page about commands tells of each command."""

from __future__ import annotations

from pathlib import Path

from durably.cli.app import Commands

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"


def test_every_command_is_documented():
    """A command that `durably --help` lists stands on the page."""
    text = PAGE.read_text(encoding="utf-8")
    names = list(Commands().commands)
    assert names
    assert [name for name in names if f"`{name}" not in text] == []
