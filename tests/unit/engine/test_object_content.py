"""Fingerprints of objects whose text does not tell them apart."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import attrs
import pydantic
import pytest

from durably.engine import fingerprint
from durably.engine.replay.fingerprint import unpack


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")


class Login(pydantic.BaseModel):
    password: pydantic.SecretStr


@attrs.define
class Quiet:
    x: int = attrs.field(repr=False)


class Tree(pydantic.BaseModel):
    below: Any = None


def same(one: Any, other: Any) -> bool:
    return fingerprint(one)[0] == fingerprint(other)[0]


def nested(value: Any, depth: int, wrap: Callable[[Any], Any] = lambda v: {"a": [v]}) -> Any:
    for _ in range(depth):
        value = wrap(value)
    return value


@pytest.mark.parametrize(
    "make",
    [
        pydantic.SecretStr,
        lambda text: pydantic.SecretBytes(text.encode()),
        lambda text: Login(password=text),
        lambda text: [{"headers": {"key": pydantic.SecretStr(text)}}],
        lambda text: Open(more=text),
        Quiet,
        lambda text: io.BytesIO(text.encode()),
        io.StringIO,
        lambda text: nested(text, 40),
        lambda text: nested(text, 140),
        lambda text: nested(text, 1_500),
        lambda text: nested([text, 2**80], 60),
        lambda text: nested([text, "\ud800"], 60),
        lambda text: nested(text, 300, lambda v: Tree.model_construct(below=v)),
        lambda text: nested(text, 300, lambda v: (Open, v)),
    ],
)
def test_other_content_is_another_request(make: Callable[[str], Any]) -> None:
    """What an object shows of itself does not matter; equal content is the same request."""
    assert same(make("one"), make("one"))
    assert not same(make("one"), make("two"))


@pytest.mark.parametrize("text", ["hunter2", ""])
def test_a_secret_is_not_in_a_request(text: str) -> None:
    """The recorded form shows a mask and a digest, by which the secret cannot be read."""
    form = unpack(fingerprint({"key": pydantic.SecretStr(text)})[1])

    name, shown, digest = form["key"]
    assert name == "pydantic.types:SecretStr"
    assert shown == str(pydantic.SecretStr(text)).join(["SecretStr('", "')"])
    assert len(digest) == 32
    assert "hunter2" not in str(form)


def test_what_contains_itself_has_a_fingerprint() -> None:
    """It is told by what is not circular in it, at any depth, and making it ends."""

    def circle(text: str, around: int) -> list[Any]:
        made: list[Any] = [text]
        made.append(nested(made, around))
        made.append(made)
        return made

    for around in (1, 200):
        assert same(circle("a", around), circle("a", around))
        assert not same(circle("a", around), circle("b", around))


def test_a_part_that_is_there_twice_is_no_circle() -> None:
    """The same object in two places counts as two equal ones."""
    shared, big = [1], 2**80

    assert same([shared, shared, big], [[1], [1], big])


def test_arrays_are_told_by_their_elements() -> None:
    """Neither the middle that numpy does not print nor the digits that it rounds are lost."""
    numpy = pytest.importorskip("numpy")
    many = numpy.arange(3_000.0)
    other = many.copy()
    other[1_500] += 1

    assert same(many, many.copy())
    assert not same(many, other)
    assert not same(many, many.astype("f4"))
    assert not same(many, many.reshape(3, 1_000))
    assert not same(numpy.array([0.1234567891]), numpy.array([0.1234567892]))
    assert not same(numpy.array([1, {}], object), numpy.array([1, {"a": 1}], object))
    record = numpy.array([(1, 0.1234567891)], [("a", "i4"), ("b", "f8")])
    assert not same(record[0], numpy.array([(1, 0.1234567892)], record.dtype)[0])
    one, two = (numpy.ma.array([1, 2], mask=mask) for mask in ([0, 1], [0, 0]))
    assert not same(one, two)


def test_tables_are_told_by_their_cells() -> None:
    """So are tables, which print their first and last rows."""
    pandas = pytest.importorskip("pandas")
    many = pandas.DataFrame(
        {
            "n": range(1_000),
            "when": pandas.date_range("2026-01-01", periods=1_000, tz="UTC"),
            "who": pandas.Categorical(["ann", "bob"] * 500),
            "some": pandas.array([1, None] * 500, dtype="Int64"),
        }
    )

    assert same(many, many.copy())
    for column in many.columns:
        other = many.copy()
        other.loc[500, column] = other.loc[501, column]
        assert not same(many, other)
        assert not same(many[column], other[column])
    assert not same(many, many.rename(index={500: -1}))
    assert not same(many, many.rename(columns={"n": "m"}))
    assert not same(many, many.astype({"n": "int32"}))
    mixed = [pandas.Series(["1"] + [0] * 99), pandas.Series([1] + [0] * 99, dtype=object)]
    assert not same(*mixed)


def test_responses_are_told_by_their_bodies() -> None:
    """Their text is a status code."""
    httpx = pytest.importorskip("httpx")

    assert same(httpx.Response(200, text="a"), httpx.Response(200, text="a"))
    assert not same(httpx.Response(200, text="a"), httpx.Response(200, text="b"))
