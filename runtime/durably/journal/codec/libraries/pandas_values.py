"""Tables, columns, indexes and scalars of pandas, if the program uses it; it is never imported."""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import timezone
from typing import Any, Final

from ormsgpack import Ext

from .. import format as fmt
from ..decoder import missing
from ..encoder import Unwritable, Write, Writer

_ADVICE: Final = (
    "cannot be written to the journal. Return it as plain data (`to_dict()`, `tolist()`), or with "
    "columns of numpy's types, text, categories, dates or nullable numbers."
)


def pandas_writer(cls: type) -> Write | None:
    """Return what writes the objects of one of pandas' classes, or None if it is none."""
    pandas: Any = sys.modules.get("pandas")
    if (
        pandas is None
        or not cls.__module__.startswith("pandas")
        or not hasattr(pandas, "DataFrame")
    ):
        return None
    for kind, parts in _PARTS.items():
        if cls is getattr(pandas, kind, None):
            return _writer(kind, parts)
    if cls is type(pandas.NaT) or cls is type(pandas.NA):
        return _writer("NaT" if cls is type(pandas.NaT) else "NA", lambda *_: None)
    if issubclass(cls, pandas.Index):
        return _writer("Index", _index)
    return _writer("array", _array) if _is_array(pandas, cls) else _refuse


def _is_array(pandas: Any, cls: type) -> bool:
    return issubclass(cls, pandas.api.extensions.ExtensionArray)


def _writer(kind: str, parts: Callable[[Writer, Any], Any]) -> Write:
    def write(writer: Writer, value: Any) -> Ext:
        return writer.ext(fmt.LIBRARY, [f"pandas:{kind}", parts(writer, value)])

    return write


def _refuse(_writer: Writer, value: Any) -> Ext:
    raise Unwritable(type(value), _ADVICE)


def _zone(writer: Writer, zone: Any) -> Any:
    """Write a time zone; those of pytz by the name by which pandas finds them again."""
    if zone is None or isinstance(zone, zoneinfo.ZoneInfo | timezone):
        return writer.node(zone)
    return str(zone)


def _timestamp(writer: Writer, value: Any) -> list[Any]:
    naive = value if value.tz is None else value.tz_convert("UTC").tz_localize(None)
    return [writer.node(naive.to_numpy()), _zone(writer, value.tz)]


def _made_timestamp(pandas: Any, data: list[Any]) -> Any:
    instant, zone = data
    made = pandas.Timestamp(instant)
    return made if zone is None else made.tz_localize("UTC").tz_convert(zone)


def _period(writer: Writer, value: Any) -> list[Any]:
    return [writer.node(value.ordinal), sys.modules["pandas"].PeriodDtype(value.freq).name]


def _made_period(pandas: Any, data: list[Any]) -> Any:
    ordinal, dtype = data
    freq = pandas.PeriodDtype.construct_from_string(dtype).freq
    return pandas.Period(ordinal=ordinal, freq=freq)


def _interval(writer: Writer, value: Any) -> list[Any]:
    return [writer.node(value.left), writer.node(value.right), value.closed]


def _series(writer: Writer, value: Any) -> list[Any]:
    parts = [_array(writer, value.array), writer.node(value.index), writer.node(value.name)]
    return [*parts, writer.node(value.attrs)]


def _made_series(pandas: Any, data: list[Any]) -> Any:
    array, index, name, attrs = data
    held = _made_array(pandas, array)
    made = pandas.Series(held, index=index, dtype=held.dtype, name=name)
    made.attrs.update(attrs)
    return made


def _frame(writer: Writer, value: Any) -> list[Any]:
    columns = []
    for at in range(value.shape[1]):
        try:
            columns.append(_array(writer, value.iloc[:, at].array))
        except Unwritable as error:
            error.path.append(f"[{value.columns[at]!r}]")
            raise
    return [writer.node(value.columns), writer.node(value.index), columns, writer.node(value.attrs)]


def _made_frame(pandas: Any, data: list[Any]) -> Any:
    columns, index, arrays, attrs = data
    held = [_made_array(pandas, array) for array in arrays]
    made = pandas.DataFrame(
        {at: pandas.Series(one, index=index, dtype=one.dtype) for at, one in enumerate(held)},
        index=index,
    )
    made.columns = columns
    made.attrs.update(attrs)
    return made


def _range(writer: Writer, value: Any) -> list[Any]:
    return [value.start, value.stop, value.step, writer.node(value.name)]


def _multi(writer: Writer, value: Any) -> list[Any]:
    levels = [writer.node(level) for level in value.levels]
    codes = [writer.node(code.copy()) for code in map(_plain_array, value.codes)]
    return [levels, codes, [writer.node(name) for name in value.names]]


def _plain_array(value: Any) -> Any:
    return sys.modules["numpy"].asarray(value)


def _index(writer: Writer, value: Any) -> list[Any]:
    freq = getattr(value, "freqstr", None)
    return [_array(writer, value.array), writer.node(value.name), freq]


def _made_index(pandas: Any, data: list[Any]) -> Any:
    array, name, freq = data
    held = _made_array(pandas, array)
    made = pandas.Index(held, dtype=held.dtype, name=name)
    if freq is not None and getattr(made, "freqstr", None) != freq:
        made.freq = freq
    return made


def _array(writer: Writer, value: Any) -> list[Any]:  # noqa: PLR0911 - one return for each kind
    """Write what a column holds, as its kind and the parts of it."""
    pandas: Any = sys.modules["pandas"]
    dtype, arrays = value.dtype, pandas.arrays
    if type(dtype).__name__ == "NumpyEADtype":
        dtype = dtype.numpy_dtype
    if not isinstance(dtype, pandas.api.extensions.ExtensionDtype):
        plain = value.to_numpy()
        if dtype.hasobject:
            return ["object", writer.items(plain.tolist())]
        return ["numpy", writer.node(_plain_array(plain))]
    if isinstance(dtype, pandas.CategoricalDtype):
        codes = _plain_array(value.codes)
        return ["category", writer.node(dtype.categories), writer.node(codes), bool(dtype.ordered)]
    if isinstance(dtype, pandas.DatetimeTZDtype):
        naive = pandas.DatetimeIndex(value).tz_convert("UTC").tz_localize(None).to_numpy()
        return ["zoned", writer.node(naive), _zone(writer, dtype.tz)]
    if isinstance(dtype, pandas.StringDtype):
        texts = [None if pandas.isna(one) else one for one in value]
        is_nan = getattr(dtype, "na_value", pandas.NA) is not pandas.NA
        return ["string", dtype.storage, is_nan, writer.items(texts)]
    if isinstance(value, arrays.IntegerArray | arrays.FloatingArray | arrays.BooleanArray):
        plain = value.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
        return ["nullable", str(dtype), writer.node(plain), writer.node(value.isna())]
    if isinstance(dtype, pandas.PeriodDtype):
        return ["period", dtype.name, writer.node(value.asi8)]
    if isinstance(dtype, pandas.IntervalDtype):
        return ["interval", writer.node(value.left), writer.node(value.right), value.closed]
    raise Unwritable(type(value), f"of dtype {dtype} {_ADVICE}")


def _made_array(pandas: Any, data: list[Any]) -> Any:
    kind, *parts = data
    return _ARRAYS[kind](pandas, *parts)


def _objects(_pandas: Any, items: list[Any]) -> Any:
    made = sys.modules["numpy"].empty(len(items), dtype=object)
    for at, item in enumerate(items):
        made[at] = item
    return made


def _zoned(pandas: Any, naive: Any, zone: Any) -> Any:
    return pandas.DatetimeIndex(naive).tz_localize("UTC").tz_convert(zone).array


def _strings(pandas: Any, storage: str, is_nan: bool, texts: list[Any]) -> Any:
    how = {"na_value": float("nan")} if is_nan else {}
    return pandas.array(texts, dtype=pandas.StringDtype(storage, **how))


def _nullable(pandas: Any, dtype: str, plain: Any, is_na: Any) -> Any:
    made = pandas.array(plain, dtype=dtype)
    made[is_na] = pandas.NA
    return made


_ARRAYS: Final[Mapping[str, Callable[..., Any]]] = {
    "numpy": lambda _, held: held,
    "object": _objects,
    "category": lambda pandas, categories, codes, is_ordered: pandas.Categorical.from_codes(
        codes, categories, ordered=is_ordered
    ),
    "zoned": _zoned,
    "string": _strings,
    "nullable": _nullable,
    "period": lambda pandas, dtype, ordinals: pandas.arrays.PeriodArray(
        ordinals, dtype=pandas.PeriodDtype.construct_from_string(dtype)
    ),
    "interval": lambda pandas, left, right, closed: pandas.arrays.IntervalArray.from_arrays(
        left, right, closed
    ),
}

_PARTS: Final[Mapping[str, Callable[[Writer, Any], Any]]] = {
    "DataFrame": _frame,
    "Series": _series,
    "RangeIndex": _range,
    "MultiIndex": _multi,
    "Timestamp": _timestamp,
    "Timedelta": lambda writer, value: writer.node(value.to_numpy()),
    "Period": _period,
    "Interval": _interval,
}

_MAKERS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "DataFrame": _made_frame,
    "Series": _made_series,
    "Index": _made_index,
    "RangeIndex": lambda pandas, data: pandas.RangeIndex(*data[:3], name=data[3]),
    "MultiIndex": lambda pandas, data: pandas.MultiIndex(data[0], data[1], names=data[2]),
    "Timestamp": _made_timestamp,
    "Timedelta": lambda pandas, data: pandas.Timedelta(data),
    "Period": _made_period,
    "Interval": lambda pandas, data: pandas.Interval(*data),
    "NaT": lambda pandas, _: pandas.NaT,
    "NA": lambda pandas, _: pandas.NA,
    "array": _made_array,
}


def pandas_value(kind: str, data: Any) -> Any:
    """Return the object that a kind and its parts were written from."""
    pandas = sys.modules.get("pandas")
    if pandas is None or kind not in _MAKERS:
        raise missing(f"pandas:{kind}")
    return _MAKERS[kind](pandas, data)
