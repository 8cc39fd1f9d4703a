"""Bytes that nobody wrote: an error, never code, never a crash."""

import itertools
import random
import struct
import subprocess
import sys

import ormsgpack
import pytest

from durably.errors import DecodeError
from durably.journal.codec import format as fmt
from durably.journal.codec.codec import Codec

from . import codec_values as values


def ext(code, node):
    data = node if isinstance(node, bytes) else ormsgpack.packb(node)
    return ormsgpack.packb(ormsgpack.Ext(code, data))


def name(cls):
    return f"{cls.__module__}:{cls.__qualname__}"


class Alarm:
    """A class that is no data class."""

    def __init__(self, *_):
        raise AssertionError("code was run")


@pytest.mark.parametrize("value", values.VALUES.values(), ids=values.VALUES)
def test_damaged_bytes_give_a_value_or_a_decode_error(value):
    """Whatever byte is changed, cut or added, nothing else than DecodeError comes out."""
    codec, chance = Codec(), random.Random(7)
    data = codec.encode(value)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(broken))
            broken[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
            broken = broken or bytearray(1)
        try:
            codec.decode(bytes(broken))
        except DecodeError:
            continue


def test_random_extensions_give_a_value_or_a_decode_error():
    """Every known number with every odd content."""
    codec, chance = Codec(), random.Random(11)
    parts = [
        None,
        1,
        -1,
        "a",
        b"a",
        [],
        {},
        [1, 2],
        "builtins:int",
        2**63,
        1.5,
        [[[]]],
        "os:system",
    ]
    for code in codec.readers:
        for _ in range(150):
            node = [chance.choice(parts) for _ in range(chance.randrange(10))]
            try:
                codec.decode(ext(code, node))
            except DecodeError:
                continue


@pytest.mark.parametrize("code", [fmt.PYDANTIC, fmt.DATACLASS, fmt.ENUM, fmt.SUBCLASS])
@pytest.mark.parametrize("target", ["subprocess:Popen", name(Alarm), "os:system", "os:path"])
def test_only_data_classes_are_rebuilt(code, target):
    """A class that is loaded but no data class of the kind named is refused."""
    body = {
        fmt.PYDANTIC: [target, {}, True],
        fmt.DATACLASS: [target, {}],
        fmt.ENUM: [target, "A", 0],
        fmt.SUBCLASS: [target, "str", "x"],
    }[code]

    with pytest.raises(DecodeError, match="names"):
        Codec().decode(ext(code, body))


def test_a_built_in_function_is_no_reference():
    """Only classes and functions written in Python are looked up."""
    with pytest.raises(DecodeError, match="os:system"):
        Codec().decode(ext(fmt.REFERENCE, b"os:system"))


def test_a_walk_does_not_pass_through_modules():
    """A module that imported another gives no access to it."""
    with pytest.raises(DecodeError, match="not loaded"):
        Codec().decode(ext(fmt.REFERENCE, b"subprocess:os.PathLike"))


def test_a_lookup_runs_no_code(monkeypatch):
    """Neither a module's ``__getattr__`` nor a class's descriptors or metaclass are asked."""
    module = type(sys)("loud_module")
    asked = []
    module.__getattr__ = asked.append

    class Loud(type):
        def __getattribute__(cls, item):
            asked.append(item)
            return type.__getattribute__(cls, item)

    module.Thing = Loud("Thing", (), {})
    monkeypatch.setitem(sys.modules, "loud_module", module)
    asked.clear()

    for target in ("loud_module:Absent", "loud_module:Thing.inner"):
        with pytest.raises(DecodeError):
            Codec().decode(ext(fmt.PYDANTIC, [target, {}, True]))

    assert asked == []


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A package on the path that nobody has imported."""
    (tmp_path / "stranger_pkg").mkdir()
    (tmp_path / "stranger_pkg" / "__init__.py").write_text("")
    (tmp_path / "stranger_pkg" / "models.py").write_text(
        "import dataclasses\n@dataclasses.dataclass\nclass Note:\n    text: str\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "stranger_pkg.models:Note"
    for loaded in [one for one in sys.modules if one.startswith("stranger_pkg")]:
        del sys.modules[loaded]


def test_decoding_imports_nothing(stranger):
    """A module that is not loaded stays so; the error says how to allow it."""
    data = ext(fmt.DATACLASS, [stranger, {"text": "hi"}])

    with pytest.raises(DecodeError, match="allow-list 'stranger_pkg'"):
        Codec(allow=["strange", "stranger_pkg.model"]).decode(data)

    assert not any(loaded.startswith("stranger_pkg") for loaded in sys.modules)


def test_an_allowed_package_is_imported(stranger):
    """The allow-list is by package, and what it admits is still only a data class."""
    codec = Codec(allow=["stranger_pkg"])

    assert codec.decode(ext(fmt.DATACLASS, [stranger, {"text": "hi"}])).text == "hi"
    with pytest.raises(DecodeError, match="which it is not"):
        codec.decode(ext(fmt.PYDANTIC, [stranger, {}, True]))


def test_an_allowed_package_that_does_not_import_is_a_decode_error(tmp_path, monkeypatch):
    """A failing import is told as such."""
    (tmp_path / "broken_stranger.py").write_text("raise LookupError('no')\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(DecodeError, match="LookupError: no"):
        Codec(allow=["broken_stranger"]).decode(ext(fmt.DATACLASS, ["broken_stranger:X", {}]))


def test_an_unknown_extension_points_at_a_later_version():
    """The table grows at its end; an older version says what it cannot read."""
    with pytest.raises(DecodeError, match="later version"):
        Codec().decode(ext(120, b""))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff\xa1a",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * 5000 + b"\xc0",
        b"\x81\x01\x01",
        ext(fmt.RANGE, [0, 1, 0]),
        ext(fmt.PATTERN, ["(" * 9000, 0]),
        ext(fmt.PATTERN, ["a" * 20_000, 0]),
        ext(fmt.DECIMAL, b"seven"),
        ext(fmt.ZONEINFO, b"../../etc/passwd"),
        ext(fmt.DATETIME, [10**6, 1, 1, 0, 0, 0, 0, 0, None]),
        ext(fmt.NDARRAY, ["<i8", [2**62, 2**62], b""]),
        ext(fmt.NDARRAY, ["|O8", [1], b"12345678"]),
        ext(fmt.NDARRAY, ["<U999999999", [0], b""]),
        ext(fmt.MAP, [[], 1]),
        ext(fmt.MAP, [1]),
        ext(fmt.ENUM, [name(values.Colour), "BLUE", 0]),
        ext(fmt.ENUM, [name(values.Colour), "RED", "GREEN", 0]),
        ext(fmt.DATACLASS, [name(values.Frozen), {"x": 1, "gone": 2}]),
        ext(fmt.SUBCLASS, [name(values.Pair), "tuple", [1]]),
        ext(fmt.EXCEPTION, ["builtins:int", "", [], {}, {}, None, None, None]),
        ext(fmt.EXCEPTION, ["builtins:ValueError", "", [], {}, {}, 5, None, None]),
        ext(fmt.BLOB, b"0123456789abcdef"),
    ],
)
def test_nonsense_is_a_decode_error(data):
    """Cut, oversized, mistyped and outdated content each end the same way."""
    pytest.importorskip("numpy")
    with pytest.raises(DecodeError):
        Codec().decode(data)


def test_a_huge_exponent_costs_nothing():
    """A decimal is kept as written and not expanded."""
    assert Codec().decode(ext(fmt.DECIMAL, b"1e999999999")).adjusted() == 999999999


@pytest.mark.parametrize("inside", [b"", b"\x91" * 1000, b"\x91" * 30])
def test_nesting_cannot_overflow_the_stack(inside):
    """Objects in objects, each as deep as it may be, are refused while there is stack left."""
    data = b"\xc0"
    for _ in range(300):
        body = inside + data
        data = b"\xc9" + struct.pack(">Ib", len(body), fmt.TUPLE) + body
    program = (
        "import sys\n"
        "from durably.errors import DecodeError\n"
        "from durably.journal.codec.codec import Codec\n"
        "try: Codec().decode(sys.stdin.buffer.read())\n"
        "except DecodeError as error: print(error)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], input=data, capture_output=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert b"nest deeper" in ran.stdout


def test_blobs_that_hold_themselves_are_refused():
    """References that go round, or multiply, end in an error."""
    key = b"0123456789abcdef"
    again = ext(fmt.BLOB, key)

    with pytest.raises(DecodeError, match="blobs"):
        Codec().join(again, lambda _: {key: again})


def test_blobs_cannot_multiply_without_bound():
    """A thousand references to a thousand references is not expanded."""
    keys = [bytes([n]) * 16 for n in range(6)]
    blobs = {keys[0]: ormsgpack.packb("x" * 100_000)}
    for inner, outer in itertools.pairwise(keys):
        blobs[outer] = ormsgpack.packb([ormsgpack.Ext(fmt.BLOB, inner)] * 200)

    with pytest.raises(DecodeError, match="blobs"):
        Codec().join(ext(fmt.BLOB, keys[-1]), lambda _: blobs)
