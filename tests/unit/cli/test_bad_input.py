"""Whatever is wrong: one message that names the thing and the next step, and nothing half-done."""

from __future__ import annotations

import resource
import sqlite3

import pytest
from tests.support.framework import install
from tests.support.places import use_site

JOURNAL = ".durably/journal.db"


def refused(done, *words, code=1):
    """Check that a command failed with one clear message on stderr and said nothing else."""
    assert done.returncode == code, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.py", None, ["no script 'missing.py'"]),
        ("broken.py", "x = = 1\n", ["broken.py", "not Python", "line 1"]),
        ("null.py", "x = '\0'\n", ["null.py", "not Python"]),
        ("picture.py", b"\x89PNG\r\n\x1a\n\x00\x00", ["picture.py", "not Python"]),
    ],
)
def test_what_is_no_script_is_refused(place, name, content, words):
    """The message names the file and what is wrong with it; no journal is made."""
    if isinstance(content, bytes):
        (place.path / name).write_bytes(content)
    elif content is not None:
        place.write(name, content)
    refused(place.durably("run", name), *words)
    assert not (place.path / JOURNAL).exists()


def test_a_directory_is_refused(place):
    """A directory is no script."""
    (place.path / "agents").mkdir()
    refused(place.durably("run", "agents"), "'agents' is a directory")


@pytest.mark.parametrize(
    "command",
    [
        ["show", "abc"],
        ["respond", "abc", "yes"],
        ["approve", "abc"],
        ["reject", "abc"],
    ],
)
def test_commands_about_a_run_need_a_journal(place, command):
    """Without a journal they say so, say what to do, and create nothing."""
    refused(place.durably(*command), "no journal .durably/journal.db", "--store")
    assert list(place.path.iterdir()) == []


def test_lists_of_an_absent_journal_are_empty(place):
    """No journal means no runs and no questions, and still no journal afterwards."""
    assert place.durably("runs").stdout == "no runs yet in .durably/journal.db\n"
    assert place.json("runs")["runs"] == []
    assert place.durably("approvals").stdout == "nothing waits for an answer\n"
    assert list(place.path.iterdir()) == []


def test_an_unknown_or_ambiguous_run_is_named(place):
    """An id that fits no run, or several, is answered with what to do."""
    place.write("ok.py", "print('ok')\n")
    place.durably("run", "ok.py")
    refused(place.durably("show", "nope"), "no run 'nope'", "durably runs")
    refused(place.durably("run", "--run", "nope", "ok.py"), "no run 'nope'")
    run = place.newest()["run"]
    refused(place.durably("show", run, "--step", "9"), f"run {run} has no step 9")


def test_another_scripts_run_is_not_continued(place):
    """--run with the wrong script or other arguments is refused."""
    place.write("one.py", "pass\n")
    place.write("two.py", "pass\n")
    place.durably("run", "one.py", "a")
    run = place.newest()["run"]
    refused(place.durably("run", "--run", run, "two.py"), "one.py", "not from two.py")
    refused(place.durably("run", "--run", run, "one.py", "b"), "same arguments")


def test_a_journal_of_a_later_version_is_left_alone(place):
    """It is refused with the advice to upgrade, byte for byte untouched."""
    place.write("ok.py", "print('ok')\n")
    place.durably("run", "ok.py")
    with sqlite3.connect(place.path / JOURNAL) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (place.path / JOURNAL).read_bytes()
    refused(place.durably("run", "ok.py"), "later durably", "Upgrade")
    refused(place.durably("runs"), "later durably")
    assert (place.path / JOURNAL).read_bytes() == before


def test_a_file_that_is_no_journal_is_left_alone(place):
    """Neither text nor another program's database is touched."""
    place.write("ok.py", "print('ok')\n")
    text = place.write("notes.db", "These are my notes, and not a journal at all.\n" * 20)
    refused(place.durably("run", "--store", "notes.db", "ok.py"), "notes.db", "not a SQLite")
    assert text.read_text().startswith("These are my notes")
    with sqlite3.connect(place.path / "shop.db") as db:
        db.execute("CREATE TABLE orders (id)")
    db.close()
    refused(place.durably("run", "--store", "shop.db", "ok.py"), "shop.db", "another program")


def test_a_damaged_journal_is_reported_by_run_and_doctor(place):
    """A journal with a damaged row names the thread; doctor finds it too."""
    place.write("ok.py", "print('ok')\n")
    place.durably("run", "ok.py")
    with sqlite3.connect(place.path / JOURNAL) as db:
        db.execute("UPDATE row SET body = zeroblob(length(body)) WHERE kind = 1")
    db.close()
    refused(place.durably("run", "ok.py"), "row", "damaged", "--new")
    doctor = place.durably("doctor", "--deep")
    assert doctor.returncode == 1
    assert "damaged" in doctor.stdout
    assert place.durably("run", "--new", "ok.py").returncode == 0


@pytest.mark.parametrize("store", ["sqlite:////proc/journal.db", "sqlite:///file.txt/journal.db"])
def test_a_place_where_nothing_can_be_written_is_refused(place, store):
    """The script is not started when its journal cannot be."""
    place.write("ok.py", "open('ran.txt', 'w')\n")
    place.write("file.txt", "in the way\n")
    refused(place.durably("run", "--store", store, "ok.py"), store.removeprefix("sqlite:///"))
    assert not (place.path / "ran.txt").exists()


def test_a_file_in_place_of_the_directory_is_refused(place):
    """A file called .durably is in the way; the message names it."""
    place.write("ok.py", "pass\n")
    place.write(".durably", "in the way\n")
    refused(place.durably("run", "ok.py"), ".durably")


def test_an_unknown_kind_of_store_is_refused(place):
    """A URL that no plug-in knows lists those that are built in."""
    place.write("ok.py", "pass\n")
    refused(place.durably("run", "--store", "floppy://a", "ok.py"), "floppy://a", "sqlite:///")


def test_a_full_disk_stops_the_run_and_keeps_what_was_recorded(tiny):
    """The step that did not fit ends the run; after making room it goes on behind the last one."""
    tiny.write(
        "agents.py",
        "from tinyframe import Model\nimport random\n"
        "for n in range(40):\n"
        "    word = random.Random(n).randbytes(8000).hex()\n"
        "    Model().call(f'{n} {word}')\nprint('through')\n",
    )
    limit = 400_000

    def shrink():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    stopped = tiny.durably("run", "agents.py", preexec_fn=shrink)
    refused(stopped, "journal.db", "continue with: durably run agents.py")
    called = [line.split()[0] for line in tiny.lines("model.txt")]
    assert 0 < len(called) < 40
    again = tiny.durably("run", "agents.py")
    assert (again.returncode, again.stdout) == (0, "through\n")
    called = [line.split()[0] for line in tiny.lines("model.txt")]
    repeated = len(called) - 40
    assert repeated <= 1  # the one whose record did not fit
    assert sorted(set(map(int, called))) == list(range(40))


def test_a_value_that_cannot_be_written_is_named_with_its_step(tiny):
    """The run stops at the step, says which value it was, and can be continued."""
    tiny.write(
        "agents.py",
        "import tinyframe\n"
        "class Handle(list):\n"
        "    def __init__(self): self.file = open('model.txt')\n"
        "class Prompt(str):\n"
        "    def upper(self): return Handle()\n"
        "tinyframe.Tool().use(word='fine')\n"
        "tinyframe.Model().call(Prompt('rogue'))\n",
    )
    done = tiny.durably("run", "agents.py")
    refused(done, "model tiny-1", "continue with: durably run agents.py")
    steps = tiny.json("show", tiny.newest()["run"])["steps"]
    assert [step["kind"] for step in steps] == ["tool"]


def test_a_framework_outside_the_tested_range_is_refused_before_it_is_used(place, tmp_path):
    """Version, range and remedy are named; the program stops at its import."""
    use_site(place, install(tmp_path / "site", version="9.0"))
    place.write("agents.py", "from tinyframe import Agent\nprint(Agent().turn('one'))\n")
    refused(
        place.durably("run", "agents.py"),
        "tinyframe 9.0",
        ">=1,<2",
        "pip install",
        "DURABLY_UNTESTED=tiny",
    )
    assert place.lines("model.txt") == []
    doctor = place.durably("doctor")
    assert doctor.returncode == 1
    assert "outside the tested range" in doctor.stdout
    allowed = place.durably("run", "agents.py", DURABLY_UNTESTED="tiny")
    assert allowed.stdout == "ONE used\n"


def test_a_broken_plug_in_is_named_and_the_rest_works(place, tmp_path):
    """Its name and error are on stderr of a run, in `plugins`, and behind an unknown command."""
    use_site(place, install(tmp_path / "site", adapter="import not_there\n"))
    place.write("ok.py", "print('ok')\n")
    done = place.durably("run", "ok.py")
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert "plug-in tiny failed to load" in done.stderr
    [tiny] = [one for one in place.json("plugins")["plugins"] if one["name"] == "tiny"]
    assert (tiny["status"], "not_there" in tiny["error"]) == ("broken", True)
    refused(place.durably("hello"), "No such command", "tiny", "not_there", code=2)
    assert place.durably("doctor").returncode == 1


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["run"], "SCRIPT"),
        (["run", "--new", "--run", "x", "ok.py"], "--new"),
        (["run", "--on-change", "maybe", "ok.py"], "maybe"),
        (["respond", "x"], "TEXT"),
        (["respond", "x", "text", "--json-value", "1"], "one of them"),
        (["show", "x", "--step", "0"], "--step"),
        (["dance"], "dance"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(place, command, word):
    """Usage errors name what is wrong with the command line."""
    place.write("ok.py", "pass\n")
    refused(place.durably(*command), word, code=2)


def test_a_kill_switch_that_is_no_number_is_refused(place):
    """A misspelt test variable must not let a crash test pass by never crashing."""
    place.write("ok.py", "pass\n")
    refused(place.durably("run", "ok.py", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="soon"), "soon")
    refused(place.durably("run", "ok.py", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="0"), "0")
