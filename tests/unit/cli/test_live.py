"""The lines of a run: headings for spans, one line for each thing that happens."""

from __future__ import annotations

import io

import pytest

from durably import Interrupt, RunInfo, StepInfo
from durably.cli.output.live import Live
from durably.cli.output.screen import Screen

RUN = RunInfo("r1", "r1", "script:crew.py", resumed=False)
TOKENS = {"input_tokens": 1000, "output_tokens": 20}


def step(lane, name="search", kind="tool", **more):
    return StepInfo("r1", "r1", lane, kind, name, more.pop("label", ""), **more)


@pytest.fixture
def written():
    """A live listener, and what it has written, with runs of blanks as one."""

    def lines():
        found = []
        for line in stream.getvalue().splitlines():
            text = line.lstrip()
            found.append(" " * (len(line) - len(text)) + " ".join(text.split()))
        return found

    stream = io.StringIO()
    stream.isatty = lambda: False
    screen = Screen(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    screen._stream = stream
    return Live(screen, "crew.py", "runs.db"), lines


def test_the_heading_says_whether_it_is_a_new_run(written):
    """A new run, one that goes on, and one that had not got anywhere."""
    live, lines = written
    live.run_started(RUN)
    live.run_started(RUN._replace(resumed=True, recorded=1))
    live.run_started(RUN._replace(resumed=True, recorded=4))
    live.run_started(RUN._replace(resumed=True))
    assert lines() == [
        "▶ r1 crew.py new run journal runs.db",
        "↻ r1 crew.py continuing: 1 finished step is in the journal journal runs.db",
        "↻ r1 crew.py continuing: 4 finished steps are in the journal journal runs.db",
        "↻ r1 crew.py beginning again journal runs.db",
    ]


def test_spans_are_headings_of_the_first_step_in_them(written):
    """A span without steps leaves no line; steps are indented below theirs."""
    live, lines = written
    live.span_started("crew", "crew", "")
    live.span_started("crew/empty", "task", "empty")
    live.span_started("crew/one", "task", "Research")
    live.step_finished(step("crew/one", elapsed=1.26), None)
    live.step_finished(step("", "after"), None)
    assert lines() == [
        "  ● crew",
        "    ● task Research",
        "      ✓ tool search 1.3s",
        "  ✓ tool after 0.0s",
    ]


def test_parallel_branches_repeat_their_headings(written):
    """Interleaved steps stay under the name of their own branch."""
    live, lines = written
    live.span_started("a", "agent", "Ann")
    live.span_started("b", "agent", "Bob")
    for lane in ("a", "b", "a", "a"):
        live.step_replayed(step(lane))
    found = lines()
    headings = [line.split()[-1] for line in found if "●" in line]
    assert headings == ["Ann", "Bob", "Ann"]
    assert len(found) == 7


def test_a_step_inside_a_step_is_indented(written):
    """The model call that a tool makes stands deeper than the tool."""
    live, lines = written
    inner = step("search~0123456789abcdef", "gpt", "model", usage=TOKENS, elapsed=2)
    live.step_finished(inner, None)
    assert lines() == ["    ✓ model gpt 1 000 → 20 tok 2.0s"]


def test_effects_that_are_not_met_are_told_up_to_five(written):
    """Each with row, lane and request; a batch of letters that were sent does not fill the page."""
    live, lines = written
    for row in range(7, 14):
        live.effect_unmet(step("crew:0a1b2c3d/task", "send", label=f"send({row})"), row, {"n": row})
    live.run_ended(RUN, "done", None)
    found = lines()
    assert found[:3] == [
        "  ⚠ tool send(7) not met",
        "      the journal holds it (row 7, in crew/task), and the program has not come to it",
        '      {"n": 7}',
    ]
    assert len(found) == 16
    assert found[-1].endswith(f"2 more effects not met; durably show {RUN.run} lists them")


def test_equal_effects_are_told_with_the_way_out(written):
    """Whoever reads it knows which rows are meant, and what to change."""
    live, lines = written
    live.effect_ambiguous(step("", "pay", label="pay(2)"), [4, 6])
    assert lines() == [
        "  ⚠ tool pay(2) equal calls",
        "      only their order tells this call from equal ones in its place (rows 4, 6)",
        "      put what tells them apart, such as a customer, into the arguments",
    ]


def test_failures_retries_and_doubts_say_why(written):
    """What goes wrong has its reason on the line below."""
    live, lines = written
    live.step_retried(step(""), ValueError("busy\nvery"), 2.0)
    live.step_finished(step(""), KeyError("x"))
    live.effect_repeated(step("", label="send(to='ada')"))
    live.step_changed(step(""), "rerun", ["q: 'a' → 'b'"])
    live.step_changed(step(""), "replay", [])
    live.interrupted(RUN, Interrupt({"message": "Go on?"}, "0" * 32))
    assert lines() == [
        "  ⚠ tool search again in 2.0s",
        "      ValueError: busy very",
        "  ✖ tool search 0.0s",
        "      KeyError: 'x'",
        "  ⚠ tool send(to='ada') done again",
        "      it began when the last process died, and its outcome is not known",
        "  ⚠ tool search executed again",
        "      not the request in the journal",
        "      q: 'a' → 'b'",
        "  ⚠ tool search recorded outcome used",
        "      not the request in the journal",
        "  ⏸ human Go on? waits",
    ]


def test_totals_tell_paid_from_spared(written):
    """Executed steps cost, replayed ones would have."""
    live, _ = written
    paid = {**TOKENS, "cost": 0.25}
    live.step_finished(step("", "gpt", "model", usage=paid), None)
    live.step_replayed(step("", "gpt", "model", usage=paid))
    live.step_replayed(step("", "gpt", "model", usage=paid))
    assert str(live.totals) == (
        "3 steps, 2 replayed   1 020 tokens used, 2 040 not paid again   $0.2500, $0.5000 saved"
    )


def test_a_long_label_is_cut_to_the_line(written):
    """However long a tool's arguments are, a step is one line."""
    live, lines = written
    live.step_finished(step("", label="send(" + "x" * 500 + ")"), None)
    assert len(lines()) == 1
    assert "…" in lines()[0]
