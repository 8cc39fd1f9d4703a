"""A program's own ``input()`` under ``durably run``: asked once, answered anywhere, replayed."""

from __future__ import annotations

import pytest
from tests.support.terminal import Terminal

ASKS = """
name = input("Name? ")
print("hello", name)
colour = input("Colour? ")
print(name, "likes", colour)
"""

LIBRARIES = """
import asyncio
import click
from rich.prompt import Confirm, Prompt
age = click.prompt("Age", type=int)
sure = click.confirm("Sure?")
colour = Prompt.ask("[b]Colour[/b]", choices=["red", "blue"])
fine = Confirm.ask("Fine?")
async def main():
    return await asyncio.to_thread(input, "Late? ")
print(age, sure, colour, fine, asyncio.run(main()))
"""

SECRET = """
import getpass
word = getpass.getpass("Password: ")
name = input("Name? ")
print(name, len(word))
"""

UNTIL_END = """
lines = []
while True:
    try:
        lines.append(input())
    except EOFError:
        break
print(lines)
"""

REFUND = """
from durably import entrypoint, task

@task
def refund(order: str, amount: int) -> str:
    with open("paid.txt", "a") as log:
        log.write(f"{order} {amount}\\n")
    return f"paid {amount}"

@entrypoint()
def flow(order):
    return refund(order, 20).result()

print(flow.invoke("7"))
"""


@pytest.fixture
def terminal(place):
    """Return a function that runs a command at a terminal."""
    opened = []

    def at(*args):
        opened.append(Terminal(place, args))
        return opened[-1]

    yield at
    for one in opened:
        one.close()


def answer(place, text):
    [question] = place.json("approvals")["questions"]
    done = place.durably("respond", question["id"], text)
    assert done.returncode == 0, done.stderr
    return question


def test_without_a_terminal_it_is_a_durable_question(place):
    """The run waits with exit code 75; answers come from elsewhere and are never asked again."""
    place.write("asks.py", ASKS)
    waits = place.durably("run", "-q", "asks.py")
    assert (waits.returncode, waits.stdout) == (75, "")
    assert answer(place, "Ada")["message"] == "Name?"
    assert place.durably("run", "-q", "asks.py").stdout == "hello Ada\n"
    assert answer(place, "green")["message"] == "Colour?"
    done = place.durably("run", "-q", "asks.py")
    assert (done.returncode, done.stdout) == (0, "hello Ada\nAda likes green\n")
    assert place.newest()["status"] == "done"


def test_at_a_terminal_the_person_answers_right_there(place, terminal):
    """The prompt is Python's own; answered once, it is not asked after a kill."""
    place.write("asks.py", ASKS)
    first = terminal("run", "-q", "asks.py")
    first.expect(r"Name\? ")
    first.type("Ada")
    first.expect("hello Ada")
    first.expect(r"Colour\? ")
    first.close()  # killed at the second question
    second = terminal("run", "-q", "asks.py")
    second.expect("hello Ada")
    second.expect(r"Colour\? ")
    second.type("green")
    second.expect("Ada likes green")
    assert second.end() == 0
    assert "Name?" not in second.seen


def test_a_question_asked_elsewhere_is_answered_at_the_terminal(place, terminal):
    """A run that waited is continued by a person at a terminal, and the other way round."""
    place.write("asks.py", ASKS)
    place.durably("run", "-q", "asks.py")
    here = terminal("run", "-q", "asks.py")
    here.expect(r"Name\?")
    here.type("Ada")
    here.expect(r"Colour\? ")
    assert here.interrupt() == 130
    assert place.durably("run", "-q", "asks.py").returncode == 75
    answer(place, "green")
    assert "Ada likes green" in place.durably("run", "-q", "asks.py").stdout


def test_the_prompts_of_click_and_rich_are_questions_too(place):
    """Each is one question with its own words; a wrong answer is asked again, as usual."""
    place.write("asks.py", LIBRARIES)
    said = []
    for text in ("old", "42", "y", "red", "n", "now"):
        assert place.durably("run", "-q", "asks.py").returncode == 75
        said.append(answer(place, text)["message"])
    done = place.durably("run", "-q", "asks.py")
    assert done.stdout.splitlines()[-1].endswith("42 True red False now")
    assert [words.partition(" ")[0].rstrip(":") for words in said] == [
        "Age",
        "Age",
        "Sure?",
        "Colour",
        "Fine?",
        "Late?",
    ]


def test_a_redirected_input_gives_the_answers(place):
    """Lines that are there are taken, once; a run that goes on passes over those it has taken."""
    place.write("asks.py", ASKS)
    done = place.durably("run", "-q", "asks.py", stdin="Ada\ngreen\n")
    assert done.stdout == "Name? hello Ada\nColour? Ada likes green\n"
    killed = {"DURABLY_TEST": "1", "DURABLY_TEST_KILL_AFTER": "1"}
    place.durably("run", "-q", "asks.py", stdin="Bob\nblue\n", **killed)
    done = place.durably("run", "-q", "asks.py", stdin="Bob\nblue\n")
    assert done.stdout == "hello Bob\nColour? Bob likes blue\n"


def test_the_end_of_a_redirected_input_is_the_end(place):
    """A program that reads to the end comes to it, and comes to it again on replay."""
    place.write("reads.py", UNTIL_END)
    done = place.durably("run", "-q", "reads.py", stdin="a\nb\n")
    assert done.stdout == "['a', 'b']\n"
    again = place.durably("run", "-q", "--run", place.newest()["run"], "reads.py")
    assert again.stdout == "['a', 'b']\n"


def test_ctrl_d_ends_the_programs_input(place, terminal):
    """``EOFError`` is raised where it always was; a program that goes on from it does so again."""
    place.write("reads.py", UNTIL_END)
    here = terminal("run", "-q", "reads.py")
    here.type("a")
    here.expect("a\n")
    here.end_input()
    here.expect(r"\['a'\]")
    assert here.end() == 0


def test_a_secret_is_asked_for_each_time_and_kept_nowhere(place, terminal):
    """What ``getpass`` reads is in no file of the journal."""
    place.write("secret.py", SECRET)
    waits = place.durably("run", "-q", "secret.py")
    assert waits.returncode == 75
    [question] = place.json("approvals")["questions"]
    refused = place.durably("respond", question["id"], "xyzzy")
    assert refused.returncode == 1
    assert "secrets are not kept" in refused.stderr
    for is_last in (False, True):
        here = terminal("run", "-q", "secret.py")
        here.expect("Password: ")
        here.type("xyzzy")
        here.expect(r"Name\? ")
        if not is_last:
            assert here.interrupt() == 130
    here.type("Ada")
    here.expect("Ada 5")
    assert here.end() == 0
    kept = b"".join(one.read_bytes() for one in (place.path / ".durably").iterdir())
    assert b"xyzzy" not in kept
    assert b"Ada" in kept


def test_calls_are_approved_at_the_terminal(place, terminal):
    """With a terminal the decision is taken right there; what is no decision is asked again."""
    place.write("refund.py", REFUND)
    here = terminal("run", "-q", "--approve", "refund", "refund.py")
    here.expect(r'refund\(order="7", amount=20\)')
    here.expect(r"\[a\]pprove.*> ")
    here.type("yes")
    here.expect("'yes' is none of them")
    here.expect("> ")
    here.type("e")
    here.expect("ends it > ")
    here.type("amount=five")
    here.expect("ends it > ")
    here.type("")
    here.expect("amount: 'five' is not of type integer")
    here.expect("> ")
    here.type("e")
    here.expect("ends it > ")
    here.type("amount=5")
    here.expect("ends it > ")
    here.type("")
    here.expect("paid 5")
    assert here.end() == 0
    assert place.lines("paid.txt") == ["7 5"]
    [line] = place.json("show", place.newest()["run"])["questions"]
    assert (line["decision"], line["after"]["amount"]) == ("edit", 5)
    assert "@" in line["by"]


@pytest.mark.parametrize("how", ["D", "line", "--no-input"])
def test_a_person_may_leave_a_question_open(place, terminal, how):
    """Ctrl-D, an empty line or ``--no-input``: the run waits and is answered from elsewhere."""
    place.write("refund.py", REFUND)
    more = ["--no-input"] if how == "--no-input" else []
    here = terminal("run", "-q", "--approve", "refund", *more, "refund.py")
    if not more:
        here.expect("leaves it open")
        here.end_input() if how == "D" else here.type("")
    assert here.end() == 75
    [question] = place.json("approvals")["questions"]
    assert place.durably("approve", question["id"]).returncode == 0


def test_what_reads_standard_input_itself_is_left_alone(place):
    """``sys.stdin`` belongs to the program."""
    place.write("reads.py", "import sys\nprint([line for line in sys.stdin], sys.stdin.readline())")
    done = place.durably("run", "-q", "reads.py", stdin="a\nb\n")
    assert done.stdout == "['a\\n', 'b\\n'] \n"
    assert place.json("show", place.newest()["run"])["steps"] == []


def test_a_debugger_is_the_programmers(place, terminal):
    """What is typed to ``pdb`` is no answer of the program's."""
    place.write("stops.py", "x = 5\nbreakpoint()\nprint('x is', x)\n")
    here = terminal("run", "-q", "stops.py")
    here.expect(r"\(Pdb\) ")
    here.type("x = 6")
    here.expect(r"\(Pdb\) ")
    here.type("continue")
    here.expect("x is 6")
    assert here.end() == 0
    assert place.json("show", place.newest()["run"])["steps"] == []
