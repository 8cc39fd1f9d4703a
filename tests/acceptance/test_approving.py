"""``durably run --approve``: calls wait for a person, across processes, kills and terminals."""

from __future__ import annotations

import time

import pytest

REFUNDS = """
import sys
from durably import CallRejected, entrypoint, task

@task
def look_up(order: str) -> int:
    with open("looked.txt", "a") as log:
        log.write(order + "\\n")
    return 20

@task(effect="once")
def refund(order: str, amount: int) -> str:
    with open("paid.txt", "a") as log:
        log.write(f"{order} {amount}\\n")
    return f"paid {amount} for {order}"

@entrypoint()
def flow(orders):
    futures = [refund(order, look_up(order).result()) for order in orders]
    for future in futures:
        try:
            print(future.result())
        except CallRejected as error:
            print(error)

flow.invoke(sys.argv[1:])
"""
RUN = ("run", "-q", "--approve", "refund", "refunds.py")


@pytest.fixture
def shop(place):
    place.write("refunds.py", REFUNDS)
    return place


def question(place, **args):
    """Return the open question about the call with these arguments."""
    found = place.json("approvals")["questions"]
    return next(one for one in found if args.items() <= one["args"].items())


def test_a_call_waits_and_the_decision_is_told_on(shop):
    """Nothing happens before the person has decided; then what they decided happens, once."""
    waits = shop.durably(*RUN, "7")
    assert waits.returncode == 75
    assert 'refund(order="7", amount=20)' in waits.stderr
    assert "durably approve" in waits.stderr
    assert "--approve refund" in waits.stderr
    asked = question(shop, order="7")
    assert asked["args_schema"]["properties"]["amount"]["type"] == "integer"
    done = shop.durably("approve", asked["id"][:6], "--set", "amount=5", "--by", "ada")
    assert "edit by ada" in done.stdout
    assert shop.durably(*RUN, "7").stdout == "paid 5 for 7\n"
    assert (shop.lines("looked.txt"), shop.lines("paid.txt")) == (["7"], ["7 5"])


def test_several_calls_are_decided_in_any_order_from_other_processes(shop):
    """Each has a question of its own; the run goes on as far as the answers allow."""
    shop.durably(*RUN, "1", "2", "3")
    for order, words in (
        ("3", ("approve", "--args", '{"order": "3", "amount": 1}')),
        ("1", ("reject", "-m", "fraud")),
        ("2", ("respond", "paid in cash")),
    ):
        for _ in range(3):  # the questions come together, or one by one
            found = shop.json("approvals")["questions"]
            if any(one["args"]["order"] == order for one in found):
                break
            shop.durably(*RUN, "1", "2", "3")
        command, *more = words
        identity = question(shop, order=order)["id"]
        said = shop.durably(command, identity, *more)
        assert said.returncode == 0, said.stderr
    done = shop.durably(*RUN, "1", "2", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == [
        "a person rejected the call of refund; it was not executed: fraud",
        "paid in cash",
        "paid 1 for 3",
    ]
    assert shop.lines("paid.txt") == ["3 1"]


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_run_killed_around_the_answer_does_it_once(shop, killed):
    """Killed before it asked or after it did what was answered, the edited call is made once."""
    kill = {"DURABLY_TEST": "1", "DURABLY_TEST_KILL_AFTER": "1"}
    if killed == "before":
        shop.durably(*RUN, "7", **kill)
        assert shop.lines("paid.txt") == []
    shop.durably(*RUN, "7")
    asked = question(shop, order="7")
    shop.durably("approve", asked["id"], "--set", "amount=5")
    if killed == "after":
        shop.durably(*RUN, "7", **kill)
    assert shop.durably(*RUN, "7").stdout == "paid 5 for 7\n"
    assert (shop.lines("looked.txt"), shop.lines("paid.txt")) == (["7"], ["7 5"])


def test_a_run_killed_while_the_approved_call_is_made_asks_whether_it_was(shop):
    """An approval is for one execution; whether that happened is another question."""
    shop.durably(*RUN, "7")
    shop.durably("approve", question(shop, order="7")["id"], "--set", "amount=5")
    shop.durably(*RUN, "7", DURABLY_TEST="1", DURABLY_TEST_KILL_BEFORE="1")
    assert shop.lines("paid.txt") == ["7 5"]
    assert shop.durably(*RUN, "7").returncode == 75
    [doubt] = shop.json("approvals")["questions"]
    assert "its process died" in doubt["message"]
    shop.durably("respond", doubt["id"], "paid 5 for 7")
    assert shop.durably(*RUN, "7").stdout == "paid 5 for 7\n"
    assert shop.lines("paid.txt") == ["7 5"]


def test_a_run_keeps_the_rule_that_it_began_with(shop):
    """Continued without the option, a run still asks before what was to be asked about."""
    shop.durably(*RUN, "7", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1")
    assert shop.lines("looked.txt") == ["7"]
    waits = shop.durably("run", "-q", "refunds.py", "7")
    assert waits.returncode == 75
    assert shop.lines("paid.txt") == []


def test_the_audit_says_who_decided_what_and_when(shop):
    """``show`` has the call as proposed and as decided, the person and the time."""
    shop.durably(*RUN, "7")
    asked = question(shop, order="7")
    told = shop.json("approve", asked["id"], "--set", "amount=5", "--by", "ada")
    assert (told["by"], told["new"], told["left"]) == ("ada", True, 0)
    again = shop.json("approve", asked["id"], "--set", "amount=5", "--by", "bob")
    assert (again["by"], again["new"]) == ("ada", False)
    other = shop.durably("reject", asked["id"])
    assert other.returncode == 1
    assert "was answered already, otherwise, by ada" in other.stderr
    shop.durably(*RUN, "7")
    run = shop.newest()["run"]
    [line] = shop.json("show", run)["questions"]
    assert line["before"] == {"order": "7", "amount": 20}
    assert line["after"] == {"order": "7", "amount": 5}
    assert (line["decision"], line["by"], line["open"]) == ("edit", "ada", False)
    assert line["answered"] >= line["asked"]
    shown = shop.durably("show", run).stdout
    assert "amount 20 → 5" in shown
    assert "by ada" in shown
    late = shop.durably("approve", asked["id"])
    assert late.returncode == 1


def test_a_stale_answer_is_refused_by_its_version(shop):
    """``--version`` names what was seen."""
    shop.durably(*RUN, "7")
    asked = question(shop, order="7")
    wrong = shop.durably("approve", asked["id"], "--version", str(asked["version"] + 1))
    assert wrong.returncode == 1
    assert "Look at it again" in wrong.stderr
    assert shop.durably("approve", asked["id"], "--version", str(asked["version"])).returncode == 0


def test_other_clients_words(shop):
    """``approvals --json --as`` tells the questions as another client reads them."""
    shop.durably(*RUN, "7")
    for dialect, key in (
        ("ag-ui", "responseSchema"),
        ("agent-inbox", "action_request"),
        ("hitl", "action_requests"),
        ("tool-approval", "tool_call_id"),
    ):
        assert key in shop.json("approvals", "--as", dialect)["questions"][0]["as"]
    assert shop.durably("approvals", "--as", "hitl").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "amount=five"), "amount: 'five' is not of type integer"),
        (("--args", "{}"), "'order' is missing"),
        (("--args", "[1]"), "an edit needs the new arguments"),
        (("--args", "{"), "--args is not JSON"),
        (("--set", "a=1", "--args", "{}"), "exclude each other"),
    ],
)
def test_a_wrong_edit_is_refused(shop, words, said):
    """The person is told what does not fit; the question stays open."""
    shop.durably(*RUN, "7")
    asked = question(shop, order="7")
    done = shop.durably("approve", asked["id"], *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert len(shop.json("approvals")["questions"]) == 1


def test_answered_and_overdue_runs_go_on_by_themselves(shop):
    """Cron's command continues them; those that still wait for somebody are left waiting."""
    shop.write(
        "durably.toml",
        "[[policy]]\nname = 'refund'\napprove = {deadline = '1s', default = 'reject'}\n",
    )
    shop.durably("run", "-q", "refunds.py", "1")
    for order in "23":
        shop.durably("run", "-q", "--config", "none", *RUN[2:], order)
    shop.durably("approve", question(shop, order="2")["id"])
    deadline = time.monotonic() + 30
    while len(shop.lines("paid.txt")) < 1 and time.monotonic() < deadline:
        shop.durably("resume", "--due")
    assert shop.lines("paid.txt") == ["2 20"]
    assert {run["status"] for run in shop.json("runs")["runs"]} == {"done", "waiting"}
    [left] = [one for one in shop.json("approvals")["questions"] if not one["expires"]]
    assert left["args"]["order"] == "3"


def test_an_answer_may_continue_the_run(shop):
    """``--resume`` goes on at once, with the options and in the place of the run."""
    shop.durably(*RUN, "7")
    asked = question(shop, order="7")
    assert shop.durably("approve", asked["id"], "--resume", "--json").returncode == 2
    done = shop.durably("approve", asked["id"], "--set", "amount=5", "--resume")
    assert done.returncode == 0, done.stderr
    assert "paid 5 for 7" in done.stdout
    assert shop.newest()["status"] == "done"
