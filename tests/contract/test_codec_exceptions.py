"""Recorded failures come back as the exceptions that they were."""

import json

import pydantic
import pytest

from durably.errors import StepFailed
from durably.journal.codec.codec import Codec

from . import codec_values as values


def back(error):
    codec = Codec()
    return codec.decode(codec.encode(error))


def raised(call):
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        KeyError("k"),
        Exception(),
        OSError(2, "No such file", "a.txt"),
        StopIteration(5),
        SystemExit(3),
        raised(lambda: json.loads("{")),
        raised(b"\xff".decode),
        raised(lambda: compile("a b", "f.py", "exec")),
        raised(lambda: __import__("nothing_of_that_name")),
        raised(lambda: values.Item(id="x")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_keeps_class_text_and_args(error):
    """``except``, ``str()`` and ``args`` give the same on replay."""
    again = back(error)

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args


def test_attributes_are_kept_and_init_is_not_called():
    """A class whose ``__init__`` has its own signature comes back with its attributes."""
    again = back(values.RefusedError("ann", code=403))

    assert (str(again), again.code) == ("ann was refused", 403)


def test_slots_of_c_classes_are_kept():
    """What C classes hold outside ``__dict__`` is there too."""
    again = back(FileNotFoundError(2, "No such file", "a.txt"))

    assert (again.errno, again.filename) == (2, "a.txt")
    assert back(StopIteration(5)).value == 5
    assert back(raised(lambda: __import__("nothing_at_all"))).name == "nothing_at_all"


def test_what_cannot_be_written_is_left_out():
    """A response object on an error does not keep the failure from being recorded."""
    error = values.RefusedError("ann", code=403)
    error.response = object()
    error.retry = {1: "other keys than strings"}

    again = back(error)

    assert again.code == 403
    assert again.retry == {1: "other keys than strings"}
    assert not hasattr(again, "response")


def test_an_argument_that_cannot_be_written_keeps_the_message():
    """The text of the error stays although its argument is only a string now."""
    thing = object()

    assert str(back(ValueError(thing))) == str(thing)


def test_notes_causes_and_contexts_are_kept():
    """The story of the failure is told on replay as well."""

    def fail():
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second") from OSError("cause")

    error = raised(fail)
    error.add_note("in step 3")

    again = back(error)

    assert again.__notes__ == ["in step 3"]
    assert (type(again.__cause__), str(again.__cause__)) == (OSError, "cause")
    assert type(again.__context__) is KeyError
    assert again.__suppress_context__


def test_a_context_that_is_not_suppressed_stays_so():
    """Setting the cause while reading must not hide the context."""

    def fail():
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904

    again = back(raised(fail))

    assert type(again.__context__) is KeyError
    assert not again.__suppress_context__


def test_a_circle_of_causes_is_cut():
    """Two exceptions that caused each other are written once each."""
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one

    again = back(one)

    assert str(again.__cause__) == "two"
    assert again.__cause__.__cause__ is None


def test_a_long_chain_is_cut():
    """Hundreds of causes do not make the value unwritable."""
    error = ValueError(0)
    for n in range(1, 300):
        cause, error = error, ValueError(n)
        error.__cause__ = cause

    again = back(error)

    assert again.args == (299,)
    assert again.__cause__.args == (298,)


def test_groups_come_back():
    """An exception group keeps its members, nested groups too."""
    group = ExceptionGroup("many", [ValueError(1), ExceptionGroup("more", [KeyError("k")])])

    again = back(group)

    assert str(again) == str(group)
    assert again.exceptions[0].args == (1,)
    assert type(again.exceptions[1].exceptions[0]) is KeyError


def test_a_class_that_cannot_be_found_becomes_step_failed():
    """A failure is recorded whatever its class; reading tells its name and message."""

    class LocalError(Exception):
        pass

    error = LocalError("gone")
    error.add_note("a note")

    again = back(error)

    assert type(again) is StepFailed
    assert again.type_name.endswith("LocalError")
    assert again.message == "gone"
    assert again.__notes__ == ["a note"]


def test_a_validation_error_of_a_type_of_its_own_comes_back():
    """Custom errors of pydantic keep type, message and place."""
    core = pydantic.ValidationError
    custom = [{"type": pydantic_custom(), "loc": ("a", 0), "input": 1}]
    error = core.from_exception_data("Model", custom)

    again = back(error)

    assert type(again) is core
    assert again.errors() == error.errors()


def pydantic_custom():
    import pydantic_core

    return pydantic_core.PydanticCustomError("too_odd", "{n} is too odd", {"n": 3})


def test_an_exception_inside_a_value_comes_back():
    """A result may hold exceptions, as gathered results do."""
    again = back({"results": [1, ValueError("x")]})

    assert str(again["results"][1]) == "x"
