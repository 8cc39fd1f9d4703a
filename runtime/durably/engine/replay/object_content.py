"""What tells an object from others of its class where its ``repr()`` does not.

The text of an array or a table is cut in its middle, that of a secret shows nothing, and that of a
buffer is an address. Two requests with such arguments would look the same. None of the libraries
is imported here.
"""

from __future__ import annotations

import functools
import hashlib
import io
import sys
from collections.abc import Callable
from typing import Any, Final

from ...journal.codec.secrets import is_secret

Content = Callable[[Any], Any]

_SALT: Final = b"durably: the secret of a request"
_CHEAP: Final = 1 << 14
"""scrypt's cost, about 50 ms and 16 MiB: secrets are often words that could be tried out."""

_ARRAYS: Final = frozenset({"PIL", "jax", "jaxlib", "tensorflow", "torch"})
_INTERFACE: Final = "__array_interface__"
_RESPONSES: Final = frozenset(
    {("httpx", "Response"), ("httpx2", "Response"), ("requests.models", "Response")}
)


def content_of(value: Any) -> Any:
    """Return data that tells *value* from others of its class, or None if its text does."""
    cls: Any = type(value)
    content = _content_of_class(cls)
    return None if content is None else content(value)


@functools.lru_cache(maxsize=1_000)
def _content_of_class(cls: Any) -> Content | None:  # noqa: PLR0911 - one return for each kind
    root = cls.__module__.partition(".")[0]
    if is_secret(cls):
        return _of_secret
    if issubclass(cls, io.BytesIO | io.StringIO):
        return lambda value: None if value.closed else [value.getvalue(), value.tell()]
    if (cls.__module__, cls.__qualname__) in _RESPONSES:
        return lambda value: _digest(value.__dict__.get("_content") or b"")
    if root == "pandas":
        return _of_pandas
    if root == "polars":
        return _of_polars
    if root == "pyarrow":
        return _of_arrow
    if cls.__module__.startswith("scipy.sparse") and hasattr(cls, "tocoo"):
        return _of_sparse
    return _of_array if "numpy" in sys.modules and _is_array(cls, root) else None


def _is_array(cls: type, root: str) -> bool:
    """Tell whether *cls* is an array that numpy reads at once, without computing it first."""
    numpy: Any = sys.modules["numpy"]
    if issubclass(cls, numpy.generic):
        return issubclass(cls, numpy.void)
    is_known = root in _ARRAYS and (hasattr(cls, "__array__") or hasattr(cls, _INTERFACE))
    return is_known or issubclass(cls, numpy.ndarray)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _of_secret(value: Any) -> str | None:
    """Return a digest that tells secrets apart and from which none can be read.

    It takes long to make, so that a journal does not help to find out a short secret by trying.
    """
    try:
        secret = value.get_secret_value()
    except AttributeError:
        secret = str(value)  # Starlette's
    if isinstance(secret, bytes):
        return _sealed(b"b" + secret)
    return _sealed(f"{type(secret).__qualname__} {secret}".encode("utf-8", "surrogatepass"))


@functools.lru_cache(maxsize=256)
def _sealed(secret: bytes) -> str:
    return hashlib.scrypt(secret, salt=_SALT, n=_CHEAP, r=8, p=1, dklen=16).hex()


def _of_array(value: Any) -> list[Any]:
    """Return type, shape and elements of an array, or of what can be taken for one."""
    numpy: Any = sys.modules["numpy"]
    if hasattr(value, "detach"):  # torch: of a computation, or on another device
        value = value.detach().cpu()
    try:
        array = numpy.asarray(value)
    except TypeError:  # a kind of number that numpy does not have
        return [str(value.dtype), value.tolist()]
    if array.dtype.hasobject:
        elements = array.tolist()
    else:
        elements = _digest(numpy.ascontiguousarray(array).tobytes())
    mask = getattr(value, "mask", None) if isinstance(value, numpy.ma.MaskedArray) else None
    told = [str(array.dtype), list(array.shape), elements]
    return told if mask is None else [*told, _digest(numpy.asarray(mask).tobytes())]


def _of_pandas(value: Any) -> Any:
    """Return the elements of a table, a column, an index or an array of pandas."""
    pandas: Any = sys.modules["pandas"]
    if isinstance(value, pandas.DataFrame):
        columns = [_of_pandas(value.iloc[:, at]) for at in range(value.shape[1])]
        return [_of_pandas(value.columns), _of_pandas(value.index), columns]
    if isinstance(value, pandas.Series):
        return [value.name, _of_pandas(value.index), _column(pandas, value)]
    if isinstance(value, pandas.Index):
        return [list(value.names), _column(pandas, value.to_series())]
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return _column(pandas, pandas.Series(value))
    return None


def _column(pandas: Any, column: Any) -> list[Any]:
    dtype = column.dtype
    if dtype.kind in "biufcmM" and not pandas.api.types.is_extension_array_dtype(dtype):
        return [str(dtype), _digest(column.to_numpy().tobytes())]
    return [str(dtype), [str(one) if one is pandas.NA else one for one in column.tolist()]]


def _of_polars(value: Any) -> list[Any] | None:
    if hasattr(value, "rows"):
        return [str(value.schema), value.rows()]
    return [str(value.dtype), value.to_list()] if hasattr(value, "to_list") else None


def _of_arrow(value: Any) -> list[Any] | None:
    for name in ("to_pydict", "to_pylist"):
        if hasattr(value, name):
            return [str(getattr(value, "schema", None) or value.type), getattr(value, name)()]
    return None


def _of_sparse(value: Any) -> list[Any]:
    held = value.tocoo()
    return [list(held.shape), *(_of_array(part) for part in (held.data, *held.coords))]
