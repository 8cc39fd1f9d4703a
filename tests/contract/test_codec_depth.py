"""Values that nest deep: as deep as Python itself can handle them, and refused beyond."""

import json
import subprocess
import sys

import ormsgpack
import pytest

from durably.errors import DecodeError, EncodeError
from durably.journal.codec import format as fmt
from durably.journal.codec.codec import Codec

from . import codec_values as values

KINDS = {
    "lists": (lambda v: [v], lambda v: v[0]),
    "tuples": (lambda v: (1, v), lambda v: v[1]),
    "dicts": (lambda v: {"a": v}, lambda v: v["a"]),
    "dicts with numbers for keys": (lambda v: {1: v}, lambda v: v[1]),
    "dataclasses": (values.Box, lambda v: v.held),
    "models": (lambda v: values.Node.model_construct(next=v), lambda v: v.next),
    "children of dict": (lambda v: values.Settings(a=v), lambda v: v["a"]),
}


def nested(wrap, depth, inside="x"):
    value = inside
    for _ in range(depth):
        value = wrap(value)
    return value


def levels(value, inner):
    """Return the classes of a nested value from the outside in; its equality would recurse."""
    found = []
    while value != "x" if isinstance(value, str) else True:
        found.append(type(value))
        value = inner(value)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [47, 50, 260, 1_100, 2_000])
def test_a_deep_value_comes_back(kind, depth):
    """Neither the stack nor MessagePack bounds what is written."""
    wrap, inner = KINDS[kind]
    codec, value = Codec(), nested(KINDS[kind][0], depth)

    again = codec.decode(codec.encode(value))
    body, blobs = codec.split(value)

    assert levels(again, inner) == levels(value, inner) == [type(wrap(0))] * depth
    assert levels(codec.join(body, lambda _: blobs), inner) == levels(value, inner)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_nested_beyond_any_use_is_refused(kind):
    """Beyond what can be read back safely, writing says so."""
    with pytest.raises(EncodeError, match="nested deeper than 4,096 levels"):
        Codec().encode(nested(KINDS[kind][0], 5_000))


@pytest.mark.parametrize("wrap", [lambda v: (v,), lambda v: [[v]], values.Box])
def test_what_is_written_can_be_read_whatever_its_depth(wrap):
    """No depth is accepted when writing and refused when reading."""
    codec = Codec()
    value = "x" * 2_000
    for _ in range(140):
        value = wrap([value, 0])
        assert codec.decode(codec.encode(value)) == value
        body, blobs = codec.split(value)
        assert codec.join(body, lambda _, blobs=blobs: blobs) == value


def test_json_as_deep_as_python_parses_it_comes_back():
    """The answer of a service is recorded however deep it nests."""
    codec, text = Codec(), '{"a":[' * 400 + "1" + "]}" * 400
    value = json.loads(text)

    assert json.dumps(codec.decode(codec.encode(value)), separators=(",", ":")) == text


def test_a_model_as_deep_as_pydantic_validates_comes_back():
    """Validation has a limit of its own, and all below it is recorded."""
    codec = Codec()
    value = values.Node.model_validate(nested(lambda v: {"next": v}, 200, None))

    assert codec.decode(codec.encode(value)).model_dump() == value.model_dump()


def test_a_deep_value_on_a_full_stack_is_told_as_such():
    """Near the limit of the stack the message does not blame the value."""
    value = nested(lambda v: [v], 300)

    def call(depth):
        return call(depth - 1) if depth else Codec().encode(value)

    for depth in range(sys.getrecursionlimit() - 20, 0, -20):
        try:
            data = call(depth)
        except RecursionError:
            continue  # the program itself had no room
        except EncodeError as error:
            assert "the program is itself many calls deep" in str(error)  # noqa: PT017
            continue
        assert Codec().decode(data)
        break


@pytest.mark.parametrize("around", [1, 17, 600])
def test_a_circle_is_found_at_any_depth(around):
    """A value that contains itself after many levels is refused, and writing it ends."""
    circle = values.Settings()
    value = circle
    for _ in range(around):
        value = values.Settings(x=value)
    circle["x"] = value

    with pytest.raises(EncodeError, match="refers to itself"):
        Codec().encode(nested(lambda v: [v], 1_000, circle))


def test_what_cannot_be_written_is_found_at_any_depth():
    """A message about a part far inside names its class and how it is reached there."""
    value = nested(lambda v: {"a": [v]}, 1_000, {"b": object()})

    with pytest.raises(EncodeError, match=r"^result\[…\].*\['b'\]: object cannot"):
        Codec().encode(value)


def test_a_part_of_an_exception_is_left_out_at_any_depth():
    """An attribute comes back as far as it can be written, however deep."""
    error = ValueError("x")
    error.details = nested(lambda v: [v, 1], 1_000, {"here": 2, "gone": object()})

    inside = Codec().decode(Codec().encode(error)).details
    for _ in range(1_000):
        inside = inside[0]

    assert inside["here"] == 2
    with pytest.raises(DecodeError, match="could not be recorded"):
        inside["gone"].name  # noqa: B018


def ext(code, node):
    return ormsgpack.Ext(code, ormsgpack.packb(node))


def parts(*nodes):
    return ormsgpack.packb(ext(fmt.PARTS, [ormsgpack.packb(node) for node in nodes]))


@pytest.mark.parametrize(
    "data",
    [
        parts(),
        ormsgpack.packb(ext(fmt.PARTS, [1])),
        ormsgpack.packb(ext(fmt.PARTS, 1)),
        ormsgpack.packb(ext(fmt.PART, 1)),
        parts(ext(fmt.PART, 0)),
        parts(ext(fmt.PART, 2), 0),
        parts(ext(fmt.PART, [])),
        parts([ext(fmt.PART, 1), ext(fmt.PART, 1)], 0),
        parts(*(ext(fmt.PART, n) for n in range(1, 300)), 0),
    ],
)
def test_parts_that_nobody_wrote_are_a_decode_error(data):
    """Missing, repeated, circular and too many parts each end the same way."""
    with pytest.raises(DecodeError):
        Codec().decode(data)


def test_parts_cannot_overflow_the_stack():
    """Tuples as deep as parts allow are hashed, or refused, while there is stack left."""
    program = (
        "import sys, threading\n"
        "from durably.errors import DecodeError\n"
        "from durably.journal.codec.codec import Codec\n"
        "def read():\n"
        "    try: Codec().decode(sys.stdin.buffer.read())\n"
        "    except DecodeError as error: print(error)\n"
        "    print('alive')\n"
        "threading.stack_size(1 << 20)\n"
        "one = threading.Thread(target=read); one.start(); one.join()\n"
    )

    def deep(inside, count):
        for _ in range(count):
            inside = ext(fmt.TUPLE, [inside])
        return inside

    nodes = [deep(ext(fmt.PART, n), 44) for n in range(1, 256)]
    data = parts(ext(fmt.SET, [nodes[0]]), *nodes[1:], 0)

    ran = subprocess.run(
        [sys.executable, "-c", program], input=data, capture_output=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert b"alive" in ran.stdout
