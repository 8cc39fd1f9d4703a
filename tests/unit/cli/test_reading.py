"""The commands that read a journal: for people and, with ``--json``, for programs."""

from __future__ import annotations

import pytest

AGENTS = "from tinyframe import Agent\nprint(Agent().turn('one'))\n"
ASKS = """
from durably import entrypoint, interrupt

@entrypoint()
def flow(_):
    return interrupt({QUESTION})

flow.invoke(1)
"""
DECISION = '"message": "Refund?", "args": {"n": 1}, "allowed": ["approve", "reject"]'


@pytest.fixture
def ran(tiny):
    """A place where one run is done."""
    tiny.write("agents.py", AGENTS)
    assert tiny.durably("run", "-q", "agents.py").returncode == 0
    return tiny


def test_runs_lists_every_status(ran):
    """Done, failed, stopped and waiting runs, the newest first, with what each is about."""
    ran.write("fail.py", "raise ValueError('no tea')\n")
    ran.write("asks.py", ASKS.replace("QUESTION", '"message": "Go?"'))
    ran.durably("run", "-q", "fail.py")
    ran.durably("run", "agents.py", "x", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1")
    ran.durably("run", "-q", "asks.py")
    found = ran.json("runs")["runs"]
    assert [(one["program"], one["status"], one["steps"]) for one in found] == [
        ("asks.py", "waiting", 0),
        ("agents.py", "stopped", 1),
        ("fail.py", "failed", 0),
        ("agents.py", "done", 2),
    ]
    assert found[0]["waiting_for"][0]["question"] == "Go?"
    assert found[2]["error"] == "ValueError: no tea"
    shown = ran.durably("runs").stdout.splitlines()
    assert len(shown) == 5
    assert "Go?" in shown[1]
    assert "ValueError: no tea" in shown[3]


def test_only_the_newest_runs_are_listed_at_first(place):
    """Twenty runs, and how to see the rest."""
    place.write(
        "many.py",
        "from durably import Host, entrypoint\n"
        "flow = entrypoint(checkpointer=Host())(lambda n: n)\n"
        "for n in range(23): flow.invoke(n, {'configurable': {'thread_id': f't{n}'}})\n",
    )
    assert place.python("many.py").returncode == 0
    lines = place.durably("runs").stdout.splitlines()
    assert len(lines) == 22
    assert lines[-1].startswith("3 older runs")
    assert len(place.json("runs", "--all")["runs"]) == 23


def test_show_tells_steps_with_their_cost_and_place(ran):
    """Each step has its number, kind, label, tokens and lane."""
    run = ran.newest()["run"]
    shown = ran.json("show", run[:4])
    assert shown["command"]["args"] == []
    assert [(one["step"], one["kind"], one["label"]) for one in shown["steps"]] == [
        (1, "model", "tiny-1"),
        (2, "tool", "use(word='ONE')"),
    ]
    assert shown["steps"][0]["usage"] == {"input_tokens": 1000, "output_tokens": 3}
    assert {one["lane"] for one in shown["steps"]} == {"agent:Tiny"}
    text = ran.durably("show", run).stdout
    assert "1 000 → 3 tok" in text
    assert "continue with" not in text


def test_a_step_is_shown_in_full(ran):
    """Request and response, as data and as text."""
    run = ran.newest()["run"]
    step = ran.json("show", run, "--step", "1")
    assert (step["request"], step["response"]) == ({"prompt": "one"}, "ONE")
    text = ran.durably("show", run, "--step", "1").stdout
    assert '"prompt": "one"' in text
    assert text.endswith("response\nONE\n")


INBOX = """
import os
from durably import entrypoint, task

@task
def send(to):
    return to

@entrypoint()
def flow(_):
    return [send(name).result() for name in os.listdir("inbox")]

flow.invoke(1)
"""


def test_effects_that_the_program_did_not_come_to_again_are_shown(place):
    """A letter that was sent is gone when the run continues: both commands tell of its sending."""
    place.write("inbox/ann", "")
    place.write("send.py", INBOX)
    place.durably("run", "send.py", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1")
    (place.path / "inbox" / "ann").unlink()
    done = place.durably("run", "send.py")
    assert done.returncode == 0
    assert "not met" in done.stderr
    run = place.newest()["run"]
    [unmet] = place.json("show", run)["unmet"]
    assert (unmet["name"], unmet["request"]) == ("send", [["ann"], {}])
    shown = place.durably("show", run).stdout
    assert "has not come to again" in shown
    assert '[["ann"], {}]' in shown


def test_an_effect_without_outcome_is_shown_as_unfinished(tiny):
    """What began when the process died is told apart from what is done."""
    tiny.write("agents.py", AGENTS)
    tiny.durably("run", "agents.py", DURABLY_TEST="1", DURABLY_TEST_KILL_BEFORE="2")
    run = tiny.newest()["run"]
    steps = tiny.json("show", run)["steps"]
    assert [(one["kind"], one["status"]) for one in steps] == [
        ("model", "done"),
        ("tool", "unfinished"),
    ]
    assert "continue with: durably run agents.py" in tiny.durably("show", run).stdout


def test_a_failed_step_shows_its_error(tiny):
    """The error stands where the response would."""
    tiny.write("agents.py", "import tinyframe\ntinyframe.Model().call(7)\n")
    assert tiny.durably("run", "-q", "agents.py").returncode == 1
    step = tiny.json("show", tiny.newest()["run"], "--step", "1")
    assert (step["status"], step["response"]) == ("failed", None)
    assert step["error"].startswith("TypeError: ")


def test_a_store_can_be_named_by_option_or_environment(place):
    """Hints carry the option on; the environment goes without saying."""
    place.write("fail.py", "raise SystemExit(3)\n")
    by_option = place.durably("run", "--store", "sqlite:///a.db", "fail.py")
    assert "continue with: durably run --store sqlite:///a.db fail.py" in by_option.stderr
    by_variable = place.durably("run", "fail.py", DURABLY_STORE="sqlite:///b.db")
    assert "continue with: durably run fail.py" in by_variable.stderr
    assert not (place.path / ".durably").exists()
    assert len(place.json("runs", "--store", "sqlite:///a.db")["runs"]) == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["respond", "{id}", "yes"], "durably approve"),
        (["approve", "{id}", "--set", "n=2"], "durably approve"),
        (["respond", "{id}", "--json-value", "true"], "durably approve"),
        (["approve", "0000"], "durably approvals"),
    ],
)
def test_an_answer_that_is_no_clear_decision_is_refused(place, command, said):
    """Nothing is recorded, and the message says how to answer."""
    place.write("asks.py", ASKS.replace("QUESTION", DECISION))
    place.durably("run", "-q", "asks.py")
    [question] = place.json("approvals")["questions"]
    done = place.durably(*(word.replace("{id}", question["id"]) for word in command))
    assert done.returncode == 1
    assert said in done.stderr
    assert place.json("approvals")["questions"] == [question]


def test_a_plain_question_is_not_approved(place):
    """Whether "approve" means yes to a question without decisions would be a guess."""
    place.write("asks.py", ASKS.replace("QUESTION", '"message": "How many?"'))
    place.durably("run", "-q", "asks.py")
    [question] = place.json("approvals")["questions"]
    done = place.durably("approve", question["id"])
    assert (done.returncode, "durably respond" in done.stderr) == (1, True)
    assert place.durably("respond", question["id"], "--json-value", "3").returncode == 0


def test_a_question_is_listed_with_the_commands_that_answer_it(place):
    """Only what the question allows is offered."""
    place.write("asks.py", ASKS.replace("QUESTION", DECISION))
    place.durably("run", "-q", "asks.py")
    shown = place.durably("approvals").stdout
    assert "durably approve" in shown
    assert "durably reject" in shown
    assert "durably respond" not in shown
    assert "--set" not in shown


def test_doctor_finds_every_seam(ran):
    """A framework in range, with one optional seam that it does not have."""
    found = ran.durably("doctor", "--json", DURABLY_DISABLE_PLUGINS="autogen,crewai")
    assert found.returncode == 0, found.stdout
    assert "importing tinyframe" in found.stderr
    text = ran.durably("doctor", DURABLY_DISABLE_PLUGINS="autogen,crewai").stdout
    assert "tinyframe 1.4 (tested: >=1,<2), 3 of 4 seams found, 1 optional" in text
    assert "1 run" in text


def test_plug_ins_are_listed_and_can_add_commands(tiny):
    """A third party's plug-in is listed with its source, and its command works."""
    found = {one["name"]: one for one in tiny.json("plugins")["plugins"]}
    assert found["tiny"] == {
        "name": "tiny",
        "source": "durably_tiny 0.1",
        "status": "ok",
        "error": "",
    }
    assert tiny.durably("hello").stdout == "hello from a plug-in\n"
    assert "Say hello." in tiny.durably("--help").stdout
