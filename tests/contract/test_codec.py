"""The codec: what goes in comes back, of the same classes, from memory or through blobs."""

import math
import types
from collections.abc import Mapping
from typing import Any

import pydantic
import pytest

from durably.errors import DecodeError, EncodeError
from durably.journal.codec.codec import Codec, TypeCodec

from . import codec_values as values


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal and of the same classes through and through."""
    if type(left) is not type(right):
        return False
    if isinstance(left, Mapping):
        keys = zip(left, right, strict=False)
        return len(left) == len(right) and all(
            same(a, b) and same(left[a], right[b]) for a, b in keys
        )
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and left == right:
        return math.copysign(1, left) == math.copysign(1, right)
    held = getattr(left, "__dict__", None)
    if isinstance(held, dict) and not isinstance(left, type | types.FunctionType):
        return bool(left == right) and same(held, right.__dict__)
    return bool(left == right)


@pytest.mark.parametrize("value", values.VALUES.values(), ids=values.VALUES)
def test_a_value_comes_back_equal_and_of_the_same_class(value):
    """Encoding and decoding changes neither values nor classes, at any depth."""
    codec = Codec()

    assert same(codec.decode(codec.encode(value)), value)


@pytest.mark.parametrize("value", values.VALUES.values(), ids=values.VALUES)
def test_a_value_comes_back_through_blobs(value):
    """Splitting and joining is exact however much of the value is set aside."""
    codec = Codec()
    padded = {"value": [value, "pad " * 400], "again": (value,)}

    body, blobs = codec.split(padded)

    assert blobs
    assert same(codec.join(body, lambda _: blobs), padded)


def test_nan_stays_nan():
    """The one float that is not equal to itself survives as well."""
    codec = Codec()

    assert math.isnan(codec.decode(codec.encode(float("nan"))))


def test_pydantic_keeps_what_was_set_and_private_attributes():
    """The names that were given, extra fields and private attributes are part of a model."""
    codec = Codec()
    order = values.VALUES["pydantic models"][0]

    back = codec.decode(codec.encode(order))

    assert back.model_fields_set == order.model_fields_set == {"items", "by_id", "more"}
    assert back.__pydantic_extra__ == {"more": {"any": (1, 2)}}
    assert back.items[0]._seen == 7
    assert back.items[0].model_fields_set == {"id"}


def test_a_validator_does_not_run_again():
    """A validator that changes its input would otherwise change it on every replay."""
    codec = Codec()
    strict = values.VALUES["pydantic models"][2]

    assert codec.decode(codec.encode(strict)).at == strict.at


def test_a_time_zone_that_pydantic_parsed_comes_back():
    """Parsed datetimes have an offset class that is pydantic's own."""
    codec = Codec()
    parsed = pydantic.TypeAdapter(values.dt.datetime).validate_python("2026-01-01T00:00:00+02:00")

    back = codec.decode(codec.encode(parsed))

    assert back == parsed
    assert type(back.tzinfo) is type(parsed.tzinfo)


def test_chat_messages_come_back():
    """langchain-core's messages are pydantic models."""
    messages = pytest.importorskip("langchain_core.messages")
    codec = Codec()
    call = {"name": "search", "args": {"q": 1}, "id": "c1", "type": "tool_call"}
    history = [messages.HumanMessage("hi"), messages.AIMessage("", tool_calls=[call])]

    back = codec.decode(codec.encode(history))

    assert back == history
    assert [type(message) for message in back] == [messages.HumanMessage, messages.AIMessage]


def test_numpy_comes_back():
    """Arrays and scalars keep dtype and shape; arrays of objects are refused."""
    numpy = pytest.importorskip("numpy")
    codec = Codec()
    for array in (
        numpy.arange(6, dtype="<i4").reshape(2, 3),
        numpy.asfortranarray(numpy.ones((2, 3))),
        numpy.empty((0, 4)),
        numpy.array(1.5),
        numpy.array(["a", "bcd"]),
        numpy.array(["2026-01-01"], dtype="datetime64[D]"),
    ):
        back = codec.decode(codec.encode(array))
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert (back == array).all()
        assert back.flags.writeable
    scalar = codec.decode(codec.encode(numpy.float64(0.1)))
    assert type(scalar) is numpy.float64
    assert scalar == 0.1
    with pytest.raises(EncodeError, match="dtype object"):
        codec.encode(numpy.array([object()]))


@pytest.mark.parametrize(
    "fields",
    [
        [("a", "<i4"), ("b", "<f8")],
        [("where", [("x", "<f4"), ("y", "<f4", (2, 3))]), ("name", "<U5")],
        [("when", "<M8[s]"), ("raw", "V3")],
    ],
)
def test_structured_arrays_come_back(fields):
    """Named fields, nested ones and fields of several elements; as records too."""
    numpy = pytest.importorskip("numpy")
    codec = Codec()
    array = numpy.zeros(3, dtype=fields)
    array[fields[0][0]] = array[fields[0][0]][::-1]
    for value in (array, array[0], array.view(numpy.recarray), array.view(numpy.recarray)[1]):
        back = codec.decode(codec.encode(value))
        assert type(back) is type(value)
        assert back.dtype == value.dtype
        assert back.dtype.type is value.dtype.type
        assert (back == value).all()


def test_arrays_with_more_to_them_are_refused():
    """The message says how to return what is in them."""
    numpy = pytest.importorskip("numpy")
    padded = numpy.zeros(1, numpy.dtype([("a", "i1"), ("b", "i8")], align=True))
    with pytest.raises(EncodeError, match="repack_fields"):
        Codec().encode(padded)
    with pytest.raises(EncodeError, match=r"Return numpy.asarray\(value\)"):
        Codec().encode(numpy.ma.array([1, 2], mask=[0, 1]))


class Client:
    """Stands for what is more than data."""

    def __init__(self, url: str) -> None:
        self.url = url


def test_a_registered_class_is_written_by_its_codec():
    """A TypeCodec serves classes that are not data; by class, or by a name that is re-exported."""
    for named in (Client, f"{__name__}:Alias"):
        codec = Codec([TypeCodec(named, "client", lambda client: client.url, Client)])

        back = codec.decode(codec.encode({"client": Client("http://x")}))

        assert type(back["client"]) is Client
        assert back["client"].url == "http://x"


Alias = Client


def test_a_registered_class_needs_its_codec_to_be_read():
    """Without the plug-in that wrote a value the error names the tag."""
    data = Codec([TypeCodec(Client, "client", lambda client: client.url, Client)]).encode(
        Client("u")
    )

    with pytest.raises(DecodeError, match="'client'"):
        Codec().decode(data)


def test_registering_later_counts_for_classes_seen_before():
    """A class that was refused is written once its codec is there."""
    codec = Codec()
    with pytest.raises(EncodeError):
        codec.encode(Client("u"))

    codec.register(TypeCodec(Client, "client", lambda client: client.url, Client))

    assert codec.decode(codec.encode(Client("u"))).url == "u"


def test_a_hint_carries_classes_that_are_local_to_a_function():
    """A local response model comes back, with the local models inside it, given the hint."""
    codec = Codec()

    class Line(pydantic.BaseModel):
        n: int

    class Report(pydantic.BaseModel):
        lines: list[Line]
        best: Line | None = None

    report = Report(lines=[Line(n=1)], best=Line(n=2))

    back = codec.decode(codec.encode([report], hint=Report), hint=Report)

    assert back == [report]
    assert type(back[0]) is Report
    body, blobs = codec.split([report] * 100, hint=Report)
    assert codec.join(body, lambda _: blobs, hint=Report) == [report] * 100


def test_a_value_written_with_a_hint_needs_it():
    """The error says that the hint is what is missing."""
    codec = Codec()
    data = codec.encode(values.Item(id=1), hint=values.Item)

    with pytest.raises(DecodeError, match="hint"):
        codec.decode(data)


def test_a_hint_survives_a_renamed_class():
    """The class given when reading is used, whatever it was called when writing."""
    codec = Codec()
    data = codec.encode(values.Item(id=1), hint=values.Item)

    class Renamed(pydantic.BaseModel):
        id: int

    assert type(codec.decode(data, hint=Renamed)) is Renamed
