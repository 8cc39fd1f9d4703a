"""Counter-examples: small programs, each of them wrong under some thoughtless rule of replay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .campaign import Course, course
from .examples import failures, items, made, unknown
from .examples.example import EXAMPLES, Example
from .outlook import quick_paths
from .program import Program
from .report import course_told

COUNT = 61
assert all((made, unknown, items, failures))  # they register their examples


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick_paths():
        yield


def _courses(one: Example, *, is_async: bool) -> Iterator[Course]:
    """Yield a course for each point at which the first process may die, and one for none (0)."""
    program = Program(0, [one], is_async=is_async)
    plain = course(program)
    one.learn(plain.world)
    yield from (course(program, (point,)) for point in range(plain.points + 1))


def _forms() -> Iterator[object]:
    for name, one in EXAMPLES.items():
        yield pytest.param(name, False, id=name)
        if not one.is_plain:
            yield pytest.param(name, True, id=f"{name}-async")


@pytest.mark.parametrize(("name", "is_async"), _forms())
def test_a_counter_example_is_right_or_asks(name: str, is_async: bool) -> None:
    """Killed at any point, it does each effect once; it asks only where nobody can know.

    Of requests that are equal in different places only the end of the run is looked at.
    """
    one = EXAMPLES[name]
    bad = []
    for found in _courses(one, is_async=is_async):
        is_wrong = found.verdict == "wrong" and one.allowed != "open"
        has_asked = found.questions > 0 and one.allowed == "right"
        if is_wrong or has_asked:
            bad.append(found)
    assert not bad, f"{len(bad)} courses; the first: {course_told(bad[0])}"


def test_all_of_them_are_there() -> None:
    """None is lost."""
    assert len(EXAMPLES) == COUNT
