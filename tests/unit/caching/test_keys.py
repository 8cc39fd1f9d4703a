"""Cache keys: what makes two calls the same, and what is refused."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import logging
import operator
import os
import pathlib
import re
import subprocess
import sys
import threading
import types
import typing
import uuid
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pydantic
import pytest

from durably.caching import FullKey, cache_key, cache_namespace, default_cache_key
from durably.errors import EncodeError
from durably.types import CachePolicy


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    x: int
    tags: list[str]


class Model(pydantic.BaseModel):
    x: int
    more: dict[str, int]


class Box(pydantic.BaseModel, typing.Generic[typing.TypeVar("T")]):
    x: int


class Pair(typing.NamedTuple):
    left: int


class Text(str):
    __slots__ = ()


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a: int) -> None:
        self.a = a


class Agent:
    """An object that refers to itself."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.me = self

    def ask(self, question: str) -> str:
        return self.model + question

    def __call__(self, question: str) -> str:
        return self.ask(question)

    @classmethod
    def named(cls, name: str) -> Agent:
        return cls(name)

    @staticmethod
    def shout(text: str) -> str:
        return text.upper()


class Locked:
    """An object with a part that has no content."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def fetch(self, path: str) -> str:
        return path


DISTINCT: list[Callable[[], Any]] = [
    lambda: 1,
    lambda: 1.0,
    lambda: True,
    lambda: "1",
    lambda: b"1",
    lambda: bytearray(b"1"),
    lambda: memoryview(b"1"),
    lambda: None,
    lambda: [1],
    lambda: (1,),
    lambda: {1},
    lambda: frozenset({1}),
    lambda: {1: None},
    lambda: types.MappingProxyType({1: None}),
    lambda: [[1]],
    lambda: [[], 1],
    lambda: 2**80,
    lambda: 1j,
    lambda: 0.0,
    lambda: -0.0,
    lambda: float("nan"),
    lambda: ...,
    lambda: "\ud800",
    lambda: decimal.Decimal("1.0"),
    lambda: decimal.Decimal("1.00"),
    lambda: Fraction(1, 3),
    lambda: dt.date(2026, 1, 1),
    lambda: dt.datetime(2026, 1, 1),  # noqa: DTZ001
    lambda: dt.datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    lambda: dt.timedelta(1),
    lambda: uuid.UUID(int=1),
    lambda: pathlib.PurePosixPath("1"),
    lambda: re.compile("1"),
    lambda: re.compile("1", re.IGNORECASE),
    lambda: range(1),
    lambda: collections.deque([1]),
    lambda: collections.deque([1], 3),
    lambda: collections.Counter("1"),
    lambda: collections.defaultdict(list, {1: None}),
    lambda: collections.OrderedDict(a=1, b=2),
    lambda: collections.OrderedDict(b=2, a=1),
    lambda: Colour.RED,
    lambda: Level.LOW,
    lambda: Point(1, ["a"]),
    lambda: Point(1, ["b"]),
    lambda: Model(x=1, more={"a": 1}),
    lambda: Model(x=1, more={"a": 2}),
    lambda: Box[int](x=1),
    lambda: Box[float](x=1),
    lambda: Pair(1),
    lambda: Text("1"),
    lambda: Slotted(1),
    lambda: Slotted(2),
    lambda: Agent("a"),
    lambda: Agent("b"),
    lambda: types.SimpleNamespace(a=1),
    lambda: ValueError("1"),
    lambda: np.zeros(3),
    lambda: np.zeros((3, 1)),
    lambda: np.zeros(3, "f4"),
    lambda: np.zeros(3, [("a", "i4")]),
    lambda: np.array([1, "1"], dtype=object),
    lambda: np.array([1, 1], dtype=object),
    lambda: np.float64(1),
    lambda: np.float32(1),
    lambda: np.datetime64("2026-01-01"),
    lambda: np.dtype("f4"),
    lambda: int,
    lambda: Agent,
    lambda: list[int],
    lambda: int | None,
    lambda: types.FunctionType,
    lambda: len,
    lambda: operator.add,
    lambda: functools.partial(operator.add, 1),
    lambda: functools.partial(operator.add, 2),
    lambda: [1].append,
    lambda: str.upper,
    lambda: Agent("a").ask,
    lambda: Agent("b").ask,
    lambda: Agent.named,
    lambda: Agent.shout,
    lambda: logging.getLogger("a"),
    lambda: logging,
]


def test_content_and_type_make_the_key():
    """Equal content of equal types has one key; all these values have different ones."""
    first = [default_cache_key(make()) for make in DISTINCT]
    assert first == [default_cache_key(make()) for make in DISTINCT]
    assert len(set(first)) == len(DISTINCT)


def test_order_of_dicts_sets_and_keywords_does_not_matter():
    """Only lists, tuples and positional arguments have an order."""
    one, other = {"a": 1, "b": {2: 3, "c": 4}}, {"b": {"c": 4, 2: 3}, "a": 1}
    assert default_cache_key(one) == default_cache_key(other)
    assert default_cache_key(a=1, b=2) == default_cache_key(b=2, a=1)
    assert default_cache_key({"x", "y", "z"}) == default_cache_key({"z", "y", "x"})
    assert default_cache_key(1, 2) != default_cache_key(2, 1)


def test_positions_and_names_are_kept_apart():
    """How arguments are grouped is part of the key."""
    keys = [
        default_cache_key(),
        default_cache_key(None),
        default_cache_key([]),
        default_cache_key("a", 1),
        default_cache_key(("a", 1)),
        default_cache_key(a=1),
        default_cache_key({"a": 1}),
        default_cache_key("a", a=1),
        default_cache_key("a", "a", 1),
        default_cache_key("ab", "c"),
        default_cache_key("a", "bc"),
    ]
    assert len(set(keys)) == len(keys)


def test_array_layout_does_not_matter():
    """Arrays with equal elements are equal, however they lie in memory."""
    array = np.arange(6).reshape(2, 3)
    assert default_cache_key(array) == default_cache_key(np.asfortranarray(array))
    assert default_cache_key(array[:, ::2]) == default_cache_key(array[:, ::2].copy())


def test_shared_parts_and_cycles_have_keys():
    """One object in two places counts like two equal ones; a cycle counts by its shape."""
    part = ["x"]
    assert default_cache_key([part, part]) == default_cache_key([["x"], ["x"]])
    loop: list[Any] = [1]
    loop.append(loop)
    again: list[Any] = [1]
    again.append(again)
    longer: list[Any] = [1, [1]]
    longer[1].append(longer)
    assert default_cache_key(loop) == default_cache_key(again)
    assert default_cache_key(loop) != default_cache_key(longer)


def test_keys_are_the_same_in_another_process():
    """No address and no hash seed is part of a key."""
    program = (
        "import operator, functools, json\n"
        "from durably.caching import cache_namespace, default_cache_key\n"
        "value = [{'a', 'b', 'c', 'd'}, {'x': 1}, functools.partial(operator.add, 1), object]\n"
        "print(default_cache_key(value).hex(), cache_namespace(json.dumps))"
    )
    found = {
        subprocess.check_output(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (threading.Lock(), "a _thread.lock"),
        ({"deep": [threading.Lock()]}, "a _thread.lock"),
        ((x for x in ()), "a builtins.generator"),
        (Locked(), "a _thread.lock"),
        (sys.stdout.buffer, "_io."),
        (type("Local", (), {}), "define it at the top of a module"),
        (type("Local", (), {})(), "define it at the top of a module"),
    ],
    ids=["lock", "inside", "generator", "object", "file", "class", "its object"],
)
def test_what_has_no_content_is_refused(value: Any, why: str):
    """An argument that cannot be compared is named, with what to do."""
    with pytest.raises(EncodeError, match=re.escape(why)) as caught:
        default_cache_key(1, client=value)
    assert "argument 'client'" in str(caught.value)
    assert "key_func" in str(caught.value)


def test_nested_too_deep_is_refused():
    """A value deeper than the interpreter's stack is an error, not a crash."""
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    with pytest.raises(EncodeError, match=r"argument 0 .* nested too deep"):
        default_cache_key(deep)


def adder(amount: Any) -> Callable[[int], Any]:
    def add(x: int) -> Any:
        return x + amount

    return add


def key_of(policy: CachePolicy, *args: Any, **kwargs: Any) -> FullKey:
    return cache_key(adder, policy, args, kwargs)


def test_full_key_joins_function_and_arguments():
    """The namespace is the function's; the key stands for the arguments."""
    namespace, key = key_of(CachePolicy(), 1)
    assert namespace == cache_namespace(adder)
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert key_of(CachePolicy(), 1) == (namespace, key)
    assert key_of(CachePolicy(), 2) != (namespace, key)
    assert cache_key(adder, CachePolicy()) == key_of(CachePolicy())


def test_own_key_func_speaks_for_the_arguments():
    """What a ``key_func`` leaves out does not count; str and bytes are different keys."""
    policy = CachePolicy(key_func=lambda url, **_: url)
    assert key_of(policy, "x", lock=threading.Lock()) == key_of(policy, "x", lock=None)
    assert key_of(policy, "x") != key_of(policy, "y")
    assert key_of(policy, "x") != key_of(policy, b"x")


def test_own_key_func_must_return_a_key():
    """Another type is refused, with the function's name."""
    with pytest.raises(TypeError, match=r"key_func of .*adder.* returned a int"):
        key_of(CachePolicy(key_func=lambda x: x), 1)
