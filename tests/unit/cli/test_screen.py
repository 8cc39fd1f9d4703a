"""Lines for people: marks, colours, widths, and what is kept away from the terminal."""

from __future__ import annotations

import io

import pytest

from durably.cli.output.screen import Screen
from durably.cli.output.text import (
    cells,
    counted,
    duration,
    one_line,
    short_ids,
    table,
    tokens,
    visible,
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def __init__(self, encoding="utf-8"):
        super().__init__()
        self._name = encoding

    @property
    def encoding(self):
        return self._name

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """Begin without the variables that switch colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_gets_colours():
    """A mark is painted where colours can be shown."""
    assert Screen(Terminal()).paint("ok", "green") == "\x1b[32mok\x1b[0m"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_switched_off(monkeypatch, name, value):
    """NO_COLOR and a dumb terminal get plain text."""
    monkeypatch.setenv(name, value)
    assert Screen(Terminal()).paint("ok", "green", bold=True) == "ok"


def test_an_empty_no_color_means_nothing(monkeypatch):
    """The convention asks for a value that is not empty."""
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b[" in Screen(Terminal()).paint("ok", "green")


def test_a_file_gets_no_colours():
    """What is no terminal gets plain text."""
    assert Screen(io.StringIO()).paint("ok", "green") == "ok"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_marks_fit_the_encoding(encoding):
    """Signs that cannot be encoded are replaced as a whole set."""
    marks = Screen(Terminal(encoding)).marks
    assert all(getattr(marks, name).isascii() for name in type(marks).__slots__)
    assert Screen(Terminal("utf-8")).marks.done == "✓"


def test_text_that_cannot_be_encoded_is_escaped():
    """A model's emoji must not end the program."""
    stream = Terminal("ascii")
    Screen(stream).line("tea 🍵")
    assert stream.getvalue() == "tea \\U0001f375\n"


@pytest.mark.parametrize("hostile", ["\x1b]0;title\x07", "a\x9b31m", "x\u202egnp.exe", "\x1b[2J"])
def test_control_characters_do_not_reach_the_terminal(hostile):
    """Texts of models and tools are shown, never obeyed."""
    for shown in (one_line(hostile), visible(hostile)):
        assert shown.isprintable()


def test_full_texts_keep_their_lines():
    """Line breaks and tabs are text."""
    assert visible("a\n\tb\x1b") == "a\n\tb\\x1b"


@pytest.mark.parametrize("limit", [1, 2, 5, 9])
@pytest.mark.parametrize("text", ["a long line of text", "緑茶をください", "short"])
def test_a_line_is_cut_to_columns(text, limit):
    """Wide characters count twice, and a cut shows."""
    shown = one_line(text, limit)
    assert cells(shown) <= limit
    assert shown == text or shown.endswith("…")


def test_a_table_is_aligned_by_columns():
    """Each cell begins where its heading does, without blanks at the end."""
    assert table([("A", "B"), ("緑", "x"), ("long", "")]) == ["A     B", "緑    x", "long"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0s"), (59.94, "59.9s"), (60, "1m 00s"), (3599, "59m 59s"), (7260, "2h 01m")],
)
def test_durations_are_short(seconds, shown):
    """Tenths below a minute, then two units."""
    assert duration(seconds) == shown


def test_tokens_are_shown_when_they_are_known():
    """No usage, no text; no output counted, zero."""
    assert tokens({"input_tokens": 1204, "output_tokens": 312}, "→") == "1 204 → 312 tok"
    assert tokens({"input_tokens": 7}, "->") == "7 -> 0 tok"
    assert tokens(None, "→") == tokens({"seconds": 3}, "→") == ""


def test_counts_agree_in_number():
    """One step, two steps, one finished step is."""
    assert [counted(n, "step") for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]


def test_short_ids_tell_ids_apart():
    """Six characters, and as many more as it takes."""
    assert short_ids(["abcdefgh1", "xbcdefgh2"]) == {"abcdefgh1": "abcdef", "xbcdefgh2": "xbcdef"}
    assert list(short_ids(["abcdefgh1", "abcdefgh2"]).values()) == ["abcdefgh1", "abcdefgh2"]
    assert short_ids([]) == {}
