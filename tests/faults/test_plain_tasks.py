"""Plain tasks in a script whose world, or whose text, changes between two processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .course import Course, judged

LETTERS = ("ann", "bob", "cyd")
SENT = [f"{who}: Dear {who}" for who in LETTERS]
TOLD = [f"RESULT {SENT}"]
Make = Callable[..., Course]


@pytest.fixture
def letters(course: Make) -> Course:
    """A folder with three letters, and the program that answers them."""
    made: Course = course("letters_tasks.py")
    made.put("inbox", *LETTERS)
    return made


def test_letters_are_answered_in_one_go(letters: Course) -> None:
    """Nothing happens, and each letter gets its own text."""
    judged(letters.durable(), told=TOLD, effects=SENT)


@pytest.mark.parametrize("who", LETTERS)
def test_a_letter_that_is_gone_leaves_its_answer_to_nobody(letters: Course, who: str) -> None:
    """The second process meets fewer letters: none gets the text that was meant for another."""
    ending = letters.durable(env={"DIES_AFTER": who})
    assert letters.killed()
    judged(ending, told=TOLD, effects=SENT)


@pytest.mark.parametrize("moment", ["after", "before"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_letters_after_a_kill_at_a_step(letters: Course, moment: str, step: int) -> None:
    """The letter under way is answered again or its answer comes back; the others get theirs."""
    ending = letters.durable(kill=(moment, step))  # type: ignore[arg-type]
    assert letters.killed()
    judged(ending, told=TOLD, effects=SENT)


@pytest.mark.parametrize("moment", ["after", "before"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_an_edited_script_is_noticed(course: Make, moment: str, step: int) -> None:
    """The step whose argument was edited in the script itself is executed with the new one."""
    squares = course("squares.py")
    ending = squares.durable(
        kill=(moment, step),  # type: ignore[arg-type]
        edit=lambda one: one.edit("squares.py", "(2, 3, 4)", "(9, 3, 4)"),
    )
    assert squares.killed()
    judged(ending, told=["RESULT [81, 9, 16]"], effects=[])


def test_an_inserted_step_leaves_the_others_theirs(course: Make) -> None:
    """A call put in front of finished ones shifts no result."""
    squares = course("squares.py")
    ending = squares.durable(
        kill=("after", 3), edit=lambda one: one.edit("squares.py", "(2, 3, 4)", "(5, 2, 3, 4)")
    )
    judged(ending, told=["RESULT [25, 4, 9, 16]"], effects=[])
