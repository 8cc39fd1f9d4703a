"""Recorded failures come back as the exceptions that they were."""

import copy
import json

import pydantic
import pytest

from durably.errors import DecodeError, StepFailed
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


def test_what_cannot_be_written_is_marked_and_fails_when_it_is_used():
    """A program that looks at what was not recorded is told so; it never finds nothing there."""
    error = values.RefusedError("ann", code=403)
    error.response = object()
    error.retry = {1: "other keys than strings"}
    error.details = {"status": 9, "trailers": [1, object()]}

    again = back(error)

    assert again.code == 403
    assert again.retry == {1: "other keys than strings"}
    assert again.details["status"] == 9
    for use in (
        lambda: again.response.status_code,
        lambda: bool(again.response),
        lambda: again.details["trailers"][1]["a"],
        lambda: list(again.response),
        again.response,
    ):
        with pytest.raises(DecodeError, match="builtins:object, could not be recorded"):
            use()


def test_a_mark_is_kept_when_the_exception_is_recorded_again():
    """The failure that ends a run may be one that came from the journal."""
    error = values.RefusedError("ann", code=403)
    error.response = object()

    again = back(back(error))

    assert repr(again.response) == "<builtins:object, not recorded by durably>"
    assert copy.copy(again.response) == again.response


def test_a_cached_property_that_cannot_be_written_is_made_again():
    """What a class computes on demand is computed once more."""
    error = values.LazyError("x")
    assert error.handle

    assert type(back(error).handle) is object


def test_slots_that_hold_none_are_kept():
    """An exception with slots of its own has each of them again."""
    again = back(values.SlottedError(None))

    assert again.code is None


def test_an_exception_made_by_attrs_keeps_its_fields():
    """Its fields are slots, of which one may hold nothing."""
    again = back(values.AttrsError(3))

    assert (again.code, again.detail, again.args) == (3, None, (3, None))


def test_a_part_whose_class_is_gone_fails_when_it_is_used(monkeypatch):
    """The exception itself comes back; only who looks at that part is told."""
    error = values.RefusedError("ann", code=403)
    error.point = values.Point(1, [2])
    data = Codec().encode(error)
    monkeypatch.delattr(values, "Point")

    again = Codec().decode(data)

    assert again.code == 403
    with pytest.raises(DecodeError, match="its class is not loaded in this process"):
        again.point.x  # noqa: B018


def test_a_group_whose_class_is_gone_keeps_its_members():
    """``except*`` finds the members of a group of a local class."""

    class LocalGroup(ExceptionGroup):
        pass

    again = back(LocalGroup("many", [ValueError(1)]))

    assert type(again) is ExceptionGroup
    assert again.exceptions[0].args == (1,)


def test_a_recursion_error_stays_one():
    """A program's own RecursionError is a failure like any other, with what led to it."""

    def forever(n):
        return forever(n + 1)

    def fail():
        try:
            forever(0)
        except RecursionError as error:
            raise ValueError("too deep") from error

    again = back(raised(lambda: forever(0)))

    assert type(again) is RecursionError
    assert "maximum recursion depth" in str(again)
    assert type(back(raised(fail)).__cause__) is RecursionError


def test_the_last_attempt_of_a_retry_comes_back():
    """Tenacity's error holds a future; a program asks it why the attempt failed."""
    tenacity = pytest.importorskip("tenacity")

    @tenacity.retry(stop=tenacity.stop_after_attempt(2))
    def fail():
        raise KeyError("k")

    again = back(raised(fail))

    assert type(again) is tenacity.RetryError
    assert again.last_attempt.attempt_number == 2
    assert again.last_attempt.exception().args == ("k",)
    with pytest.raises(KeyError):
        again.last_attempt.result()


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


@pytest.mark.parametrize("link", ["__cause__", "__context__"])
def test_a_long_chain_comes_back_to_its_end(link):
    """A program that walks to the first of hundreds of causes finds the same one."""
    error = ValueError(0)
    for n in range(1, 300):
        before, error = error, ValueError(n)
        setattr(error, link, before)

    again = back(error)

    for n in reversed(range(300)):
        assert again.args == (n,)
        again = getattr(again, link)
    assert again is None


def test_causes_with_contexts_of_their_own_do_not_multiply():
    """Where each of many exceptions has both, the causes are kept and the size stays small."""
    error = ValueError(0)
    for n in range(1, 100):
        before, error = error, ValueError(n)
        error.__cause__ = before
        error.__context__ = KeyError(n)
        error.__context__.__context__ = before

    data = Codec().encode(error)
    again = Codec().decode(data)

    assert len(data) < 200_000
    for _ in range(99):
        again = again.__cause__
    assert again.args == (0,)


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
