"""Large parts of values are stored apart, and once."""

import dataclasses
import enum
import hashlib
import random

import pydantic
import pytest

from durably.errors import DecodeError
from durably.journal.codec.codec import Codec


class State(pydantic.BaseModel):
    messages: list[dict[str, str]]


@dataclasses.dataclass
class Memory:
    notes: tuple[str, ...]


def message(n):
    return {"role": "user", "id": str(n), "content": f"{n} " + "word " * 60}


def no_fetch(_):
    raise AssertionError("nothing was set aside")


def test_a_small_value_is_left_whole():
    """Up to 1 KiB there are no blobs, and joining asks for none."""
    codec = Codec()

    body, blobs = codec.split({"text": "x" * 900})

    assert blobs == {}
    assert body == codec.encode({"text": "x" * 900})
    assert codec.join(body, no_fetch) == {"text": "x" * 900}


def test_many_small_parts_are_left_whole():
    """A large value of short parts has nothing to set aside."""
    codec = Codec()
    value = {str(n): n for n in range(1000)}

    body, blobs = codec.split(value)

    assert blobs == {}
    assert codec.join(body, no_fetch) == value


def test_a_blob_is_named_by_the_hash_of_its_bytes():
    """The address is BLAKE2b of 16 bytes, so that any storage can check it."""
    _, blobs = Codec().split("x" * 5000)

    assert [hashlib.blake2b(data, digest_size=16).digest() for data in blobs.values()] == [*blobs]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: items,
        tuple,
        lambda items: {"state": {"messages": items}},
        lambda items: State(messages=items),
        lambda items: [State(messages=items), {"more": (items, 1)}],
        lambda items: {7: items},
    ],
)
def test_a_history_that_grew_by_one_costs_one(wrap):
    """Wherever the list is, only the new message is new."""
    codec = Codec()
    _, before = codec.split(wrap([message(n) for n in range(50)]))

    grown = wrap([message(n) for n in range(51)])
    body, after = codec.split(grown)

    new = {key: data for key, data in after.items() if key not in before}
    assert sum(map(len, new.values())) + len(body) < 51 * 60
    assert codec.join(body, lambda keys: {k: after[k] for k in keys if k in after}) == grown


def test_equal_parts_are_one_blob():
    """The same text in many places is stored once."""
    text = "word " * 1000

    body, blobs = Codec().split({"a": text, "b": [text, {"c": text}], "d": Memory((text,))})

    assert len(blobs) == 1
    assert len(body) < 300


def test_what_comes_back_is_not_shared():
    """Two equal items are two objects after reading, as a program may change one of them."""
    codec = Codec()
    item = {"k": "v" * 600}
    body, blobs = codec.split([item, dict(item)])

    first, second = codec.join(body, lambda _: blobs)
    first["k"] = "changed"

    assert second == item


def test_blobs_inside_blobs_are_fetched_level_by_level():
    """A long text inside a long message is its own blob."""
    codec = Codec()
    value = [{"parts": [message(n) for n in range(5)], "text": "t" * 3000} for _ in range(5)]
    body, blobs = codec.split(value)
    asked = []

    def fetch(keys):
        asked.append(len(keys))
        return {key: blobs[key] for key in keys if key in blobs}

    assert codec.join(body, fetch) == value
    assert len(asked) >= 1


def test_a_missing_blob_is_named():
    """The error carries the hash to look for."""
    codec = Codec()
    body, blobs = codec.split("x" * 5000)

    with pytest.raises(DecodeError, match=next(iter(blobs)).hex()):
        codec.join(body, lambda _: {})


def test_bytes_that_only_look_like_a_reference_do_no_harm():
    """The marker may occur in any data; what it seems to name is simply not there."""
    codec = Codec()
    value = {"raw": b"\xd8\x1d" * 300, "text": "long " * 500}
    body, blobs = codec.split(value)

    assert codec.join(body, lambda keys: {k: blobs[k] for k in keys if k in blobs}) == value


def test_an_attribute_is_stored_as_far_as_it_can_be_written():
    """What can be written of an error's attribute is set aside; the rest leaves no blob."""
    error = ValueError("x")
    error.response = ["y" * 5000, object()]
    error.text = "z" * 5000

    body, blobs = Codec().split(error)
    again = Codec().join(body, lambda _: blobs)

    assert len(blobs) == 2
    assert (again.response[0], again.text) == ("y" * 5000, "z" * 5000)


def test_any_tree_comes_back():
    """Seeded random trees of every shape go through blobs unchanged."""
    chance = random.Random(3)
    codec = Codec()

    def tree(depth):
        if depth == 0 or chance.random() < 0.2:
            return chance.choice([1, None, "s", "x" * chance.randrange(4000), b"b" * 2000])
        parts = [tree(depth - 1) for _ in range(chance.randrange(8))]
        return chance.choice([list, tuple, lambda p: dict(enumerate(p)), lambda p: {"k": p}])(parts)

    for _ in range(60):
        value = tree(6)
        body, blobs = codec.split(value)
        fetched = codec.join(body, lambda keys, b=blobs: {k: b[k] for k in keys if k in b})
        assert fetched == value


def test_a_history_that_grows_costs_its_new_message():
    """Of a long list that grew by one item, nearly everything is there already."""
    codec, stored, costs = Codec(), {}, []
    for turns in range(300, 320):
        body, blobs = codec.split([message(n) for n in range(turns)])
        new = {key: data for key, data in blobs.items() if key not in stored}
        costs.append(len(body) + sum(map(len, new.values())))
        stored |= blobs

    assert max(costs[1:]) < costs[0] / 30
    fetch = lambda keys: {key: stored[key] for key in keys}
    assert codec.join(body, fetch) == [message(n) for n in range(319)]


def test_a_history_that_forgets_its_oldest_messages_keeps_its_pieces():
    """The ends of the pieces are where the content says, not at every so many items."""
    codec = Codec()
    whole, stored = codec.split([message(n) for n in range(400)])
    later, blobs = codec.split([message(n) for n in range(100, 500)])

    pieces = [key for key in blobs if key not in stored]
    assert len(pieces) < 100 + 20
    both = {**stored, **blobs}
    assert codec.join(later, lambda keys: {key: both[key] for key in keys}) == [
        message(n) for n in range(100, 500)
    ]
    assert codec.join(whole, lambda keys: {key: stored[key] for key in keys})[0] == message(0)


def test_a_long_tuple_comes_back_as_one():
    """A list in pieces may stand for the items of something else."""
    codec = Codec()
    value = tuple(message(n) for n in range(200))

    body, blobs = codec.split(value)

    assert codec.join(body, lambda keys: {key: blobs[key] for key in keys}) == value


def test_an_item_written_before_brings_its_blobs_along():
    """What is remembered of an item is complete, whatever else the first value held."""
    codec = Codec()
    text = "x" * 3000
    shared = {"role": "user", "content": text, "id": "1"}

    codec.split([text, shared, shared])
    body, blobs = codec.split([shared])

    assert codec.join(body, lambda keys: {key: blobs[key] for key in keys}) == [shared]


class Role(enum.StrEnum):
    """Equal to its text, as many frameworks' roles are."""

    USER = "user"


def test_what_was_read_before_comes_back_unshared():
    """A reader that changes what it got changes nothing for the next one."""
    codec = Codec()
    history = [message(n) for n in range(100)]
    body, blobs = codec.split(history)

    for _ in range(3):
        found = codec.join(body, lambda _: blobs)
        assert found == history
        found[3]["content"] = "forged"
        found.clear()


def test_what_was_read_before_is_not_fetched_again():
    """A history that is read with each turn costs a storage what is new in it."""
    codec = Codec()
    history = [message(n) for n in range(100)]
    body, blobs = codec.split(history)
    codec.join(body, lambda _: blobs)

    body, more = codec.split([*history, message(100)])
    asked = []
    found = codec.join(body, lambda keys: asked.extend(keys) or {**blobs, **more})

    assert found == [*history, message(100)]
    assert len(asked) <= 2


def test_what_equals_a_text_is_not_taken_for_it():
    """A message whose role is a member of an enumeration comes back with it, seen before or not."""
    codec = Codec(allow=[__name__])
    history = [message(n) for n in range(100)]
    codec.split(history)

    body, blobs = codec.split([{**one, "role": Role.USER} for one in history])
    found = codec.join(body, lambda _: blobs)

    assert {type(one["role"]) for one in found} == {Role}


def test_a_long_list_of_short_dicts_comes_back():
    """What looks like a history and is small is written all the same."""
    codec = Codec()
    rows = [{"n": str(n)} for n in range(64)]

    body, blobs = codec.split(rows)

    assert codec.join(body, lambda _: blobs) == rows
