"""Values that a codec must bring back as they were, and the classes that they are made of."""

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import ipaddress
import os
import pathlib
import re
import time
import types
import typing
import uuid
import zoneinfo

import attrs
import pydantic


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Right(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4
    BOTH = 3


class Bits(enum.IntFlag):
    A = 1
    B = 2


Pair = collections.namedtuple("Pair", "left right")  # noqa: PYI024 - programs have both kinds


class Point(typing.NamedTuple):
    x: int
    y: list[int]


class Text(str):  # noqa: SLOT000 - with a __dict__
    pass


class SlottedText(str):
    __slots__ = ("note",)


class Names(list):
    pass


class Settings(dict):
    pass


@dataclasses.dataclass
class Plain:
    name: str
    tags: list[str] = dataclasses.field(default_factory=list)
    computed: int = dataclasses.field(init=False, default=0)

    def __post_init__(self):
        self.computed = len(self.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: int
    inner: Plain | None = None


T = typing.TypeVar("T")


@dataclasses.dataclass
class Box(typing.Generic[T]):
    held: T


class Item(pydantic.BaseModel):
    id: int
    price: decimal.Decimal = decimal.Decimal("1.50")
    _seen: int = pydantic.PrivateAttr(default=0)


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    items: list[Item]
    pair: tuple[int, str] = (1, "a")
    by_id: dict[int, Item] = {}


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    at: dt.datetime

    @pydantic.field_validator("at")
    @classmethod
    def _never_twice(cls, value: dt.datetime) -> dt.datetime:
        return value + dt.timedelta(days=1)


class Listed(pydantic.RootModel[list[int]]):
    pass


class Page(pydantic.BaseModel, typing.Generic[T]):
    items: list[T]


class RefusedError(Exception):
    def __init__(self, who: str, *, code: int) -> None:
        super().__init__(f"{who} was refused")
        self.code = code


class LazyError(Exception):
    @functools.cached_property
    def handle(self) -> object:
        return object()


class SlottedError(Exception):
    __slots__ = ("code",)

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Heading(collections.UserDict):
    pass


class Site(pydantic.BaseModel):
    home: pydantic.HttpUrl
    database: pydantic.PostgresDsn
    address: pydantic.IPvAnyAddress


class Node(pydantic.BaseModel):
    next: typing.Any = None


@attrs.define
class Line:
    text: str
    tags: list[str] = attrs.field(factory=list)
    _hidden: int = attrs.field(default=3, repr=False, eq=False)
    count: int = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.count = len(self.text)


@attrs.frozen(slots=False, cache_hash=True)
class Spot:
    x: int
    y: Line | None = None


@attrs.frozen(cache_hash=True)
class Tight:
    x: int


@attrs.define
class AttrsError(Exception):
    code: int
    detail: str | None = None


class Cat(pydantic.BaseModel):
    kind: typing.Literal["cat"] = "cat"
    lives: int = 9


class Dog(pydantic.BaseModel):
    kind: typing.Literal["dog"] = "dog"
    tricks: list[str] = []


class Pet(pydantic.BaseModel):
    animal: Cat | Dog = pydantic.Field(discriminator="kind")


def helper() -> None:
    """Stands for any function of a module."""


def _text() -> SlottedText:
    text = SlottedText("x")
    text.note = "why"
    return text


def _names() -> Names:
    names = Names(["a"])
    names.owner = "me"
    return names


def _order() -> Order:
    order = Order(items=[Item(id=1)], by_id={3: Item(id=3)}, more={"any": (1, 2)})
    order.items[0]._seen = 7
    return order


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
PLUS_TWO = dt.timezone(dt.timedelta(hours=2))

VALUES = {
    "none": None,
    "bools": [True, False],
    "ints": [
        0,
        -1,
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        -(2**63),
        -(2**63) - 1,
        10**400,
        -(10**400),
    ],
    "floats": [0.0, -0.0, 1.5, 5e-324, float("inf"), float("-inf")],
    "complex": [1j, complex(-0.0, 2.5), complex("inf")],
    "strings": ["", "plain", "żółć", "🙂", "a\x00b", "long " * 500],
    "lone surrogates": ["\ud800", "a\udfffb", {"\ud800": "\udcff"}],
    "bytes": [b"", b"\x00\xff", b"x" * 5000],
    "bytearrays": [bytearray(b""), {"in": bytearray(b"abc")}, (bytearray(b"\xc4"),)],
    "nested lists": [[[[]]], [1, [2, [3]]]],
    "tuples": [(), (1,), (1, (2, [3, (4,)]))],
    "dict with many kinds of key": {
        1: "int",
        "1": "str",
        1.5: "float",
        None: "none",
        b"1": "bytes",
        (1, "a"): "tuple",
        frozenset((1,)): "frozenset",
        Colour.RED: "enum",
        Text("t"): "child of str",
        2**70: "big",
        dt.date(2026, 1, 1): "date",
    },
    "dict with bool keys": {True: 1, False: 0},
    "dict order": {"z": 1, "a": 2, "m": 3},
    "sets": [set(), {1, "a", (2,)}, frozenset(), frozenset(("x", frozenset((1,))))],
    "deques": [collections.deque(), collections.deque([1, (2,)], maxlen=4)],
    "collections": [
        collections.OrderedDict([("b", 1), ("a", 2)]),
        collections.defaultdict(list, {"a": [1]}),
        collections.Counter("abca"),
    ],
    "dates": [dt.date.min, dt.date.max],
    "datetimes": [
        dt.datetime.max,  # noqa: DTZ901
        dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
        dt.datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 1, tzinfo=PLUS_TWO),
    ],
    "times": [dt.time(1, 2, 3, 4), dt.time(1, 2, tzinfo=PLUS_TWO, fold=1)],
    "timedeltas": [dt.timedelta.min, dt.timedelta.max, dt.timedelta(microseconds=-1)],
    "time zones": [dt.UTC, PLUS_TWO, dt.timezone(dt.timedelta(seconds=-90), "odd"), BERLIN],
    "decimals": [decimal.Decimal("-0.00"), decimal.Decimal("1E+999999"), decimal.Decimal("Inf")],
    "fractions": [fractions.Fraction(-1, 3), fractions.Fraction(10**50, 7)],
    "uuids": [uuid.UUID(int=0), uuid.UUID("12345678-1234-5678-1234-567812345678")],
    "paths": [
        pathlib.Path("a/b"),
        pathlib.PurePosixPath("/x"),
        pathlib.PureWindowsPath("c:\\x"),
    ],
    "ranges": [range(0), range(5), range(10, -3, -2), range(2**80)],
    "patterns": [re.compile("a+"), re.compile(rb"x", re.DOTALL), re.compile("(?i)a", re.MULTILINE)],
    "enums": [Colour.GREEN, Level.LOW, Word.YES],
    "flags": [Right.READ, Right.READ | Right.RUN, Right.BOTH, Right(0), Bits.A | Bits.B, Bits(9)],
    "named tuples": [Pair(1, (2,)), Point(1, [2])],
    "children of built-ins": [Text("x"), _text(), _names(), Settings(a=1), Settings({1: 2})],
    "dataclasses": [Plain("ann", ["x"]), Frozen(1, Plain("b")), Box((1, 2)), {Frozen(1): 1}],
    "pydantic models": [
        _order(),
        Listed([1, 2]),
        Strict(at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    ],
    "generic pydantic models": [Page[Item](items=[Item(id=1)]), Page[int](items=[1])],
    "classes and functions": [int, dict, Colour, Item, Page[Item], helper],
    "addresses": [
        ipaddress.ip_address("192.0.2.7"),
        ipaddress.ip_address("fe80::1%eth0"),
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("2001:db8::/32"),
        ipaddress.ip_interface("10.1.2.3/8"),
        ipaddress.ip_interface("fe80::1/64"),
    ],
    "slices": [slice(1, None, 2), slice("a", "b"), ...],
    "arrays": [array.array("i", [1, -2]), array.array("d"), array.array("u", "ab")],
    "wrapped collections": [
        collections.ChainMap({"a": 1}, {"b": (2,)}),
        Heading({"a": 1}),
        collections.UserList([1]),
        collections.UserString("x"),
        types.MappingProxyType({"a": (1,)}),
    ],
    "records of C": [time.gmtime(0), os.stat_result(range(10)), os.terminal_size((80, 24))],
    "urls": [
        pydantic.TypeAdapter(pydantic.AnyUrl).validate_python("http://example.org"),
        pydantic.HttpUrl("https://ann@example.org:8443/a?b=c#d"),
        pydantic.PostgresDsn("postgres://a:b@one:1,two:2/db"),
        Site(home="http://a", database="postgres://h/db", address="::1"),
    ],
    "classes of attrs": [Line("ab", ["x"]), Spot(1, Line("c")), {Spot(1): 1, Tight(2): 2}],
    "discriminated unions": [Pet(animal={"kind": "dog", "tricks": ["sit"]}), Pet(animal=Cat())],
}
