"""Tables of pandas come back as they were, where pandas is there."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import zoneinfo
from typing import Any

import pytest

from durably.errors import EncodeError
from durably.journal.codec.codec import Codec

pandas: Any = pytest.importorskip("pandas")
numpy: Any = pytest.importorskip("numpy")

DAYS = pandas.date_range("2026-03-28", periods=3, tz="Europe/Berlin")
COLUMNS: dict[str, Any] = {
    "int": [1, 2, 3],
    "float": [0.1, numpy.nan, -0.0],
    "bool": [True, False, True],
    "small": numpy.array([1, 2, 3], dtype="uint8"),
    "text": ["a", "ż", None],
    "objects": pandas.Series([{"a": (1,)}, None, 2], dtype=object),
    "words as objects": pandas.Series(["a", "b", "c"], dtype=object),
    "day": pandas.date_range("2026-01-01", periods=3),
    "moment": pandas.to_datetime(["2026-01-01T00:00:00.123456789", None, "1999-01-01T00:00:00.0"]),
    "zoned": DAYS,
    "fixed zone": pandas.DatetimeIndex(["2026-01-01"] * 3, tz=dt.timezone(dt.timedelta(hours=2))),
    "took": pandas.to_timedelta([1, None, 3], unit="s"),
    "category": pandas.Categorical(["b", "a", None], categories=["b", "a", "c"], ordered=True),
    "some": pandas.array([1, None, 3], dtype="Int64"),
    "some floats": pandas.array([1.5, None, 3], dtype="Float32"),
    "perhaps": pandas.array([True, None, False], dtype="boolean"),
    "string": pandas.array(["a", None, "c"], dtype="string"),
    "month": pandas.period_range("2026-01", periods=3, freq="M"),
    "between": pandas.interval_range(0, 3),
}
FRAME = pandas.DataFrame(COLUMNS)
INDEXES: dict[str, Any] = {
    "range": pandas.RangeIndex(1, 10, 3, name="n"),
    "text": pandas.Index(["a", "b"], name=("two", 2)),
    "mixed": pandas.Index([1, "b"]),
    "repeated": pandas.Index([1, 1, 2]),
    "days": pandas.date_range("2026-01-01", periods=3, freq="2D"),
    "zoned days": DAYS,
    "hours": pandas.timedelta_range("1h", periods=3),
    "months": pandas.period_range("2026-01", periods=3, freq="Q-NOV"),
    "categories": pandas.CategoricalIndex(["a", "b", "a"], name="c"),
    "intervals": pandas.interval_range(0, 3, closed="both"),
    "levels": pandas.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None]),
}


def back(value: Any) -> Any:
    codec = Codec()
    body, blobs = codec.split([value, "pad" * 1_000])
    codec.join(body, lambda _: blobs)
    return codec.decode(codec.encode(value))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back(name: str) -> None:
    """Values, missing values and the dtype are the same, of the column and of what it holds."""
    column = FRAME[name]

    pandas.testing.assert_series_equal(back(column), column)
    if isinstance(column.dtype, pandas.api.extensions.ExtensionDtype):
        assert back(column.array).dtype == column.dtype


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_comes_back(name: str) -> None:
    """Its class, names and frequency are the same, also as the index of a table."""
    index = INDEXES[name]

    again = back(index)

    pandas.testing.assert_index_equal(again, index, exact=True)
    assert list(again.names) == list(index.names)
    assert getattr(again, "freq", None) == getattr(index, "freq", None)
    table = pandas.DataFrame({"x": range(len(index))}, index=index)
    pandas.testing.assert_frame_equal(back(table), table)
    pandas.testing.assert_frame_equal(back(table.T), table.T)


@pytest.mark.parametrize(
    "table",
    [
        FRAME,
        FRAME.iloc[:0],
        FRAME.iloc[[2, 0]],
        pandas.DataFrame(),
        pandas.DataFrame(index=["a"]),
        pandas.DataFrame([[1, 2.5]], columns=["same", "same"]),
        pandas.DataFrame({("a", 1): [1], ("b", 2): [2]}),
        pandas.DataFrame({1: [1], None: [2]}),
    ],
)
def test_a_table_comes_back(table: Any) -> None:
    """Of any shape, with equal and odd names."""
    pandas.testing.assert_frame_equal(back(table), table, check_freq=True)


def test_attributes_of_a_table_come_back() -> None:
    """What a program notes in ``attrs`` is part of the table."""
    table = pandas.DataFrame({"a": [1]})
    table.attrs["source"] = ("file", 3)

    assert back(table).attrs == {"source": ("file", 3)}


@pytest.mark.parametrize(
    "value",
    [
        pandas.Timestamp("2026-01-01T00:00:00.123456789"),
        pandas.Timestamp("2026-07-25T02:30", tz=zoneinfo.ZoneInfo("Europe/Berlin")),
        pandas.Timestamp("2026-10-25T00:30", tz="UTC").tz_convert("Europe/Berlin"),
        pandas.Timestamp("2026-01-01", tz=dt.timezone(dt.timedelta(hours=1))).as_unit("s"),
        pandas.Timedelta("3h"),
        pandas.Timedelta(5, unit="ns"),
        pandas.Period("2026-02", freq="M"),
        pandas.Interval(1, 2.5, closed="neither"),
    ],
)
def test_a_scalar_comes_back(value: Any) -> None:
    """Of the same class, unit and time zone."""
    again = back({"at": value})["at"]

    assert type(again) is type(value)
    assert again == value
    assert getattr(again, "unit", None) == getattr(value, "unit", None)
    assert str(getattr(again, "tz", None)) == str(getattr(value, "tz", None))
    assert getattr(again, "fold", 0) == getattr(value, "fold", 0)


def test_what_is_missing_stays_so() -> None:
    """Pandas' two singletons are themselves."""
    again = back([pandas.NaT, pandas.NA])

    assert again[0] is pandas.NaT
    assert again[1] is pandas.NA


@pytest.mark.parametrize(
    "value",
    [
        pandas.DataFrame({"odd": pandas.arrays.SparseArray([0, 1])}),
        pandas.DataFrame({"a": [1]}).groupby("a"),
        pandas.DataFrame({"a": [object()]}),
    ],
)
def test_what_is_no_data_is_refused(value: Any) -> None:
    """The message says what to return instead."""
    with pytest.raises(EncodeError, match="Return"):
        Codec().encode(value)


def test_pandas_is_not_imported_to_read_a_table(tmp_path: Any) -> None:
    """A process without it is told to import it."""
    (tmp_path / "table").write_bytes(Codec().encode(FRAME))
    program = (
        "import sys\n"
        "from durably.journal.codec.codec import Codec\n"
        "try: Codec().decode(open(sys.argv[1], 'rb').read())\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "print('pandas' in sys.modules)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "table")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "DecodeError" in ran.stdout
    assert "is not loaded: import" in ran.stdout or "import numpy" in ran.stdout
    assert ran.stdout.endswith("False\n")
