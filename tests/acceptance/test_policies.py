"""Policies, budgets and parking of unchanged scripts, from files and command lines."""

from __future__ import annotations

import json
import time

import pytest

SCRIPT = """
import sys
from tinyframe import Agent

for word in sys.argv[1:] or ["a", "b", "c"]:
    print(Agent().turn(word))
"""
DOWN = """
import os
import tinyframe

class Down(Exception):
    status_code = 503

def opened(path, mode):
    if path == "model.txt" and os.path.exists("down"):
        raise Down("the provider is down")
    return open(path, mode)

tinyframe.open = opened
print(tinyframe.Agent().turn("hello"))
"""
PRICES = "[prices]\n'tiny-1' = { input = 1000, output = 0 }\n"  # a dollar for each call


@pytest.fixture
def shop(tiny):
    tiny.write("agent.py", SCRIPT)
    return tiny


def test_a_budget_is_asked_about_and_raised(shop):
    """The run stops before the call that is too much; nothing paid is paid again."""
    shop.write("durably.toml", PRICES + "[budget]\nrun = '2.5 USD'\n")
    waits = shop.durably("run", "agent.py")
    assert waits.returncode == 75, waits.stderr
    assert "$2.0000 of $2.5000" in waits.stderr
    assert shop.lines("model.txt") == ["a", "b"]
    (question,) = shop.json("approvals")["questions"]
    shop.durably("approve", question["id"][:8])
    done = shop.durably("run", "agent.py")
    assert done.returncode == 0, done.stderr
    assert shop.lines("model.txt") == ["a", "b", "c"]
    assert "$2.00 saved" in done.stderr
    (run,) = shop.json("runs")["runs"]
    assert run["paid"] == 3.0


def test_a_budget_on_the_command_line_replaces_the_files(shop):
    """And it is in the command that continues the run."""
    shop.write("durably.toml", PRICES + "[budget]\nrun = '9 USD'\n")
    waits = shop.durably("run", "--budget", "1.5USD", "agent.py")
    assert waits.returncode == 75
    assert "--budget 1.5USD" in waits.stderr


def test_answers_serve_the_next_run(shop):
    """``--cache`` spares the next run its calls; the output and the journal say so."""
    shop.write("durably.toml", PRICES)
    shop.durably("run", "--cache", "1h", "agent.py", "x")
    again = shop.durably("run", "--cache", "1h", "agent.py", "x")
    assert again.stdout == "X used\n"
    assert shop.lines("model.txt") == ["x"]
    assert "cached" in again.stderr
    assert "$1.00 saved" in again.stderr
    newest = shop.json("runs")["runs"][0]["run"]
    steps = shop.json("show", newest)["steps"]
    assert [(one["kind"], one["cached"]) for one in steps] == [("model", True), ("tool", False)]
    assert "cached" in shop.durably("show", newest).stdout


def test_a_parked_run_is_resumed_when_it_is_due(tiny):
    """The outage is waited out; cron's command takes the run up with its options."""
    tiny.write("agent.py", DOWN)
    tiny.write("down", "")
    parks = tiny.durably(
        "run", "--on-exhausted", "park", "--retry", "1", "--config", "none", "agent.py"
    )
    assert parks.returncode == 75, parks.stderr
    assert "parked until" in parks.stderr
    assert "durably resume --due" in parks.stderr
    (run,) = tiny.json("runs")["runs"]
    assert run["status"] == "waiting"
    assert run["wake"]
    early = tiny.durably("resume", "--due")
    assert early.returncode == 0
    assert "is parked until" in early.stdout

    (tiny.path / "down").unlink()
    now = tiny.durably("resume", run["run"])
    assert now.returncode == 0, now.stderr
    assert "--on-exhausted park" in now.stdout
    assert tiny.lines("model.txt") == ["hello"]
    (run,) = tiny.json("runs")["runs"]
    assert (run["status"], run["wake"]) == ("done", None)
    assert tiny.durably("resume", "--due").returncode == 0


def test_a_run_that_is_due_goes_on_in_its_own_directory(tiny):
    """``resume --due`` may be called from anywhere that names the journal."""
    tiny.write("durably.toml", "[[policy]]\nkind='model'\non_exhausted={first='100ms'}\n")
    tiny.write("agent.py", DOWN)
    tiny.write("down", "")
    assert tiny.durably("run", "agent.py").returncode == 75
    (tiny.path / "down").unlink()
    due = time.time() + 20
    while "parked until" in (said := tiny.durably("resume", "--due")).stdout:
        assert time.time() < due
    assert said.returncode == 0, said.stderr
    assert tiny.lines("model.txt") == ["hello"]


def test_a_file_that_says_what_cannot_be_stops_the_run_before_it_begins(shop):
    """Nothing is paid under a policy that was not understood."""
    shop.write("durably.toml", "[[policy]]\nkind = 'model'\nretires = 3\n")
    refused = shop.durably("run", "agent.py")
    assert refused.returncode == 1
    assert "durably.toml, line 3" in refused.stderr
    assert "did you mean 'retry'" in refused.stderr
    assert shop.lines("model.txt") == []
    assert shop.durably("runs").returncode == 0


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--rate", "60"), "60rpm"),
        (("--timeout", "tool=soon"), "no duration"),
        (("--budget", "2"), "2USD"),
        (("--cache", "=5m"), "no pattern"),
        (("--config", "missing.toml"), "cannot be read"),
    ],
)
def test_an_option_that_says_what_cannot_be_is_refused(shop, option, said):
    """The option is named."""
    refused = shop.durably("run", *option, "agent.py")
    assert refused.returncode == 1
    assert said in refused.stderr
    assert shop.lines("model.txt") == []


def test_policy_check_shows_what_each_step_gets_and_from_where(shop):
    """Recorded steps, steps that may come, and rules that fit none."""
    shop.write(
        "durably.toml",
        "[[policy]]\nkind='model'\nretry=3\ntimeout='2m'\n\n"
        "[[policy]]\nname='tiny-*'\nagent='Tiny'\nretry=5\n\n"
        "[[policy]]\nname='typo'\napprove=true\n",
    )
    shop.durably("run", "agent.py", "x")
    checked = shop.durably("policy", "check", "--json", "--rate", "use=5rpm")
    assert checked.returncode == 1
    told = json.loads(checked.stdout)
    assert told["file"].endswith("durably.toml")
    assert told["unused"] == ["durably.toml, line 11: typo"]
    steps = {(one["kind"], one["name"], one["agent"]): one["policy"] for one in told["steps"]}
    assert steps["model", "tiny-1", "Tiny"] == {
        "retry": {"value": "5 attempts", "from": "durably.toml, line 6"},
        "timeout": {"value": "2m 00s", "from": "durably.toml, line 1"},
    }
    assert steps["tool", "use", "Tiny"]["rate"]["from"] == "--rate use=5rpm"
    assert steps["model", "", ""]["retry"]["value"] == "3 attempts"
    shown = shop.durably("policy", "check").stdout
    assert "5 attempts" in shown
    assert "fits no known step: durably.toml, line 11: typo" in shown
