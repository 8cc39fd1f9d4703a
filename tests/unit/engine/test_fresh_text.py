"""Requests that differ only in text that each process made are the same; others are not."""

from __future__ import annotations

import secrets
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from durably.engine.replay.fresh_text import equal_but_fresh
from durably.engine.replay.made_tokens import made, watch_made_tokens
from durably.engine.replay.moment import Moment

THEN = Moment(begun=1_796_000_000.0, at=1_796_000_040.0, pid=71, host="atlas")
HERE = Moment(begun=1_796_090_000.0, at=1_796_090_030.0, pid=92, host="boreas")


@pytest.fixture(autouse=True)
def _watched():
    watch_made_tokens()


def at(moment: Moment, more: float = 10.0) -> datetime:
    """Return a clock reading of the moment, in UTC."""
    return datetime.fromtimestamp(moment.begun + more, UTC)


def same(recorded: object, now: object, *, before: int = 0, is_prompt: bool = False) -> bool:
    here = Moment(HERE.begun, HERE.at, HERE.pid, HERE.host, made_before=before)
    return equal_but_fresh(recorded, now, THEN, here, is_prompt=is_prompt)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%dT%H:%M:%S.%f+00:00",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d",
        "%Y-%m-%d %H:%M",
        "%d.%m.%Y, %H:%M",
        "%m/%d/%Y",
        "%B %d, %Y",
        "%b %d, %Y %H:%M:%S",
        "%A, %B %d, %Y",
        "%A, %d %B %Y %I:%M %p",
        "%Y%m%d_%H%M%S",
        "%Y%m%dT%H%M%SZ",
        "%H:%M:%S",
        "%A",
        "It is %H:%M on %A, %B %d. Write about tea.",
    ],
)
def test_a_clock_reading_that_is_now_on_both_sides_is_the_same(form):
    """The program reads the clock; in each process the reading is now."""
    assert same(at(THEN).strftime(form), at(HERE).strftime(form))


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S.%f+00:00", "%Y-%m-%d", "%B %d, %Y", "%A", "%H:%M"]
)
def test_a_time_that_is_not_now_is_data(form):
    """A date in the program's data may stand in any of its requests."""
    tomorrow = at(HERE) + timedelta(days=2, hours=3)
    assert not same(at(THEN).strftime(form), tomorrow.strftime(form))
    assert not same((at(THEN) - timedelta(days=9, hours=3)).strftime(form), at(HERE).strftime(form))


def test_seconds_since_the_epoch_are_compared_as_times():
    """Numbers and their texts, in seconds or thousandths."""
    assert same({"t": THEN.begun + 3.5}, {"t": HERE.begun + 7.25})
    assert same(f"id {int(THEN.begun * 1000)}", f"id {int(HERE.begun * 1000)}")
    assert not same({"t": THEN.begun - 900.0}, {"t": HERE.begun - 900.0})
    assert not same("order 1711223344", "order 1711223388")


@pytest.mark.parametrize(
    "make",
    [
        lambda: str(uuid4()),
        lambda: uuid4().hex,
        lambda: str(uuid.uuid1()),
        lambda: f"job-{uuid4().hex[:8]}",
        lambda: secrets.token_hex(8),
    ],
)
def test_an_id_that_this_process_made_is_the_same(make):
    """Whole or cut short, from each of the functions that make ids."""
    token = make()
    recorded = f"job-{_like(token[4:])}" if token.startswith("job-") else _like(token)
    assert same(f"session {recorded}", f"session {token}")


def test_the_name_of_a_temporary_folder_is_the_same():
    """The program's own prefix stands before the name."""
    with tempfile.TemporaryDirectory(prefix="job_") as folder:
        other = folder[:-8] + "a1b2c3d4"
        assert same(f"{other}/out.txt", f"{folder}/out.txt")


def _like(token: str) -> str:
    """Return an id of the same form that another process made."""
    return "".join(
        chr(ord("a") + number % 6) if one.isalnum() else one for number, one in enumerate(token)
    )


def test_an_id_that_this_process_did_not_make_is_data():
    """A UUID that names a letter is read from a file, and not made."""
    one, other = "5f0c9e1a-9d53-4d38-8a44-1f5a2a4d7c11", "0b6f2c53-7a80-4f0e-bb62-9c6f1a2b3c4d"
    assert not same(f"letter {one}", f"letter {other}")
    assert not same("commit 9b532170", "commit ca30e647")


def test_an_id_of_an_earlier_entry_is_data():
    """In one process an earlier run may have stored the id; for the next it is data."""
    token = str(uuid4())
    assert same(f"session {_like(token)}", f"session {token}")
    assert not same(f"session {_like(token)}", f"session {token}", before=made.count)


def test_pid_and_host_are_those_of_the_two_processes():
    """Another number beside the pid is data."""
    assert same("worker 71 on atlas", "worker 92 on boreas")
    assert same({"pid": 71}, {"pid": 92})
    assert not same("worker 71 on atlas", "worker 93 on boreas")


def test_a_measured_duration_may_differ_in_a_prompt_only():
    """A whole number of minutes is data, and so is any duration among arguments."""
    assert same("it took 0.53 seconds", "it took 0.61 seconds", is_prompt=True)
    assert not same("it took 0.53 seconds", "it took 0.61 seconds")
    assert not same("wait 5 minutes", "wait 10 minutes", is_prompt=True)


def test_a_time_derived_from_now_has_the_same_offset():
    """A deadline in a day differs with the clock; an appointment does not."""
    day = timedelta(days=1)
    form = "%Y-%m-%d %H:%M:%S.%f"
    assert same((at(THEN) + day).strftime(form), (at(HERE) + day).strftime(form))
    assert not same("2026-11-30 10:00", "2026-11-30 10:30")


@pytest.mark.parametrize(
    ("recorded", "now"),
    [
        ("ann", "bob"),
        ({"to": "ann"}, {"to": "ann", "cc": "bob"}),
        ([1, 2], [1, 2, 3]),
        (1, 2),
        (1, "1"),
        (True, 1),
        ("May 1", "June 2"),
        ("slot 10:00", "slot 10:30"),
        ("version 1.2.3", "version 1.2.4"),
        ("", "ann"),
        (None, "ann"),
        (b"a", b"b"),
    ],
)
def test_other_content_is_another_request(recorded, now):
    """Nothing is taken out by its form."""
    assert not same(recorded, now)


def test_a_long_text_is_compared_at_its_differences():
    """The text around a difference may be long, and hold dates that are data."""
    body = "on 2019-01-01 he wrote 4 letters. " * 20_000
    assert same(f"{body}{at(THEN).isoformat()}{body}", f"{body}{at(HERE).isoformat()}{body}")
    assert not same(f"{body}ann{body}", f"{body}bob{body}")
