"""What the codec refuses to write, and how its message points at it."""

import io

import pytest

from durably.errors import EncodeError
from durably.journal.codec.codec import Codec, TypeCodec

from . import codec_values as values


class Client:
    """Stands for what is more than data."""


def refusal(value, **how):
    with pytest.raises(EncodeError) as caught:
        Codec().encode(value, **how)
    return str(caught.value)


def test_the_message_names_the_path_and_the_class():
    """Whoever reads the error finds the culprit inside a large value."""
    value = {"items": [0, 1, 2, values.Plain("x", tags=[Client()])]}

    assert refusal(value) == (
        f"result['items'][3].tags[0]: {__name__}.Client cannot be written to the journal. "
        "Return plain data, or register a TypeCodec for it."
    )


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Client(), "result: "),
        ((1, {"a": Client()}), "result[1]['a']: "),
        ({1: Client()}, "result[1]: "),
        ({Client(): 1}, "result.key: "),
        ({Client()}, "result{…}: "),
        (values.Box(values.Order.model_construct(items=[Client()])), "result.held.items[0]: "),
        (values.Settings(a=[Client()]), "result['a'][0]: "),
        (values.collections.deque([Client()]), "result[0]: "),
        (memoryview(b"abc"), "result: memoryview"),
        (values.collections.defaultdict(lambda: 0), "result.default_factory: "),
    ],
)
def test_the_path_leads_through_every_kind_of_container(value, path):
    """Attributes, items, keys and members each have their way of being named."""
    assert refusal(value).startswith(path)


def test_a_value_that_refers_to_itself_is_refused():
    """A cycle is an error that says where, not a crash."""
    cycle: dict = {"a": [1]}
    cycle["a"].append(cycle)
    box = values.Box(None)
    box.held = [box]

    assert refusal(cycle).startswith("result['a'][1]: dict refers to itself")
    assert "result.held[0]: " in refusal(box)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (memoryview(b"abc"), "Return bytes(view)"),
        ((n for n in ()), "Return its items, as a list"),
        ({}.values(), "Return its items, as a list"),
        (io.BytesIO(), None),
        (Client(), "Return plain data, or register a TypeCodec"),
    ],
)
def test_the_message_says_what_to_return(value, advice):
    """A refusal names the way out that fits the value."""
    if advice is None:
        value.close()
        advice = "is closed"

    assert advice in refusal(value)


def test_a_shared_part_is_no_cycle():
    """The same list twice is written twice."""
    codec = Codec()
    shared = [1]

    assert codec.decode(codec.encode({1: [shared, shared]})) == {1: [[1], [1]]}


def test_a_class_that_cannot_be_found_again_is_refused():
    """A local class is refused when written, not first when read; the message says what helps."""

    @values.dataclasses.dataclass
    class Local:
        x: int

    message = refusal([Local(1)])

    assert message.startswith("result[0]: ")
    assert "hint" in message


def test_a_failing_type_codec_is_named():
    """An error in a plug-in's function keeps its words and its place."""

    def fail(_):
        raise LookupError("no handle")

    codec = Codec([TypeCodec(Client, "client", fail, lambda data: data)])

    with pytest.raises(EncodeError, match=r"result\[0\].*LookupError: no handle"):
        codec.encode([Client()])


def test_an_interrupt_while_writing_is_not_swallowed():
    """Ctrl-C inside a plug-in's function reaches the program."""

    def stop(_):
        raise KeyboardInterrupt

    codec = Codec([TypeCodec(Client, "client", stop, lambda data: data)])

    with pytest.raises(KeyboardInterrupt):
        codec.encode([Client()])


def test_an_interrupt_while_reading_is_not_swallowed():
    """The same when a value is made again."""

    def stop(_):
        raise KeyboardInterrupt

    codec = Codec([TypeCodec(Client, "client", lambda _: 1, stop)])

    with pytest.raises(KeyboardInterrupt):
        codec.decode(codec.encode([Client()]))
