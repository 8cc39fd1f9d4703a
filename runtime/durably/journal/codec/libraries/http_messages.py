"""HTTP requests and responses of httpx, requests and aiohttp, as their errors carry them.

A response comes back with its status, headers and body, read; a request with its method, URL and
headers. Left out are a request's body, cookies, connections and streams. Headers that carry
credentials are masked.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from ..class_names import mapping_of
from ..encoder import Unwritable, Writer
from ..left_out import left_out
from ..secrets import masked_header
from .library import ClassName, Library

_UNREAD: Final = (
    "has a body that was not read, so it cannot be written to the journal. Read it inside of the "
    "step, or return what you need of it."
)
_NOT_KEPT: Final = "is not kept, as requests' bodies and cookies may hold secrets."
_PASSWORD: Final = re.compile(r"(?<=://)([^/?#@:]*):[^/?#@]*@")
_SMALL: Final = 1 << 20
"""Bytes up to which a body that is on its way is read, so that it can be recorded."""

_CLIENTS: Final = ("httpx", "httpx2")
_LIVE: Final = frozenset({"_cookies", "_decoder", "extensions", "is_closed", "stream"})
_EXTENSIONS: Final = ("http_version", "reason_phrase")


def _without_password(url: str) -> str:
    return _PASSWORD.sub(r"\1:***@", url)


def _pairs(writer: Writer, pairs: Iterable[tuple[Any, Any]]) -> Any:
    return writer.items([[_plain(name), masked_header(name, value)] for name, value in pairs])


def _plain(name: Any) -> Any:
    return str.__str__(name) if isinstance(name, str) else name  # multidict has a child of str


def _httpx_state(writer: Writer, value: Any) -> dict[str, Any]:
    """Return the attributes of a request or response that outlive its connection."""
    held: dict[str, Any] = {k: v for k, v in value.__dict__.items() if k not in _LIVE}
    is_request = "method" in held
    if not is_request and "_elapsed" not in held:
        with suppress(RuntimeError, AttributeError):  # it was not read to its end
            held["_elapsed"] = value.elapsed
    if callable(held.get("default_encoding")):
        held["default_encoding"] = value.encoding if "_content" in held else "utf-8"
    body = held.pop("_content", None)
    node = dict(writer.kept(held))
    if is_request:
        node["_content"] = b"" if body == b"" else left_out(bytes, _NOT_KEPT)
    elif body is not None:
        node["_content"] = writer.node(body)
    elif not writer.lenient:  # in an exception it stays unread, which httpx tells who wants it
        raise Unwritable(type(value), _UNREAD)
    extensions = {k: v for k, v in value.extensions.items() if k in _EXTENSIONS}
    return {"state": node, "extensions": writer.attributes(extensions)}


def _httpx_message(cls: Any, data: Mapping[str, Any]) -> Any:
    """Make a message as httpx does when one is unpickled; its stream is closed."""
    value = object.__new__(cls)
    value.__dict__.update(data["state"])
    value.extensions = dict(data["extensions"])
    value.stream = mapping_of(sys.modules[f"{cls.__module__}._models"])["UnattachedStream"]()
    if "status_code" in value.__dict__:
        value.is_closed = True
        value.__dict__.setdefault("default_encoding", "utf-8")
    return value


def _headers(writer: Writer, value: Any) -> list[Any]:
    return [_pairs(writer, value.raw), value.encoding]


def _made_headers(cls: Any, data: list[Any]) -> Any:
    pairs, encoding = data
    return cls([(name, held) for name, held in pairs], encoding)


_HTTPX: Final[Mapping[str, Library]] = {
    "Request": Library(_httpx_state, _httpx_message),
    "Response": Library(_httpx_state, _httpx_message),
    "Headers": Library(_headers, _made_headers),
    "URL": Library(lambda _, value: _without_password(str(value)), lambda cls, text: cls(text)),
}

_KEPT: Final = (
    "encoding",
    "elapsed",
    "headers",
    "history",
    "reason",
    "request",
    "status_code",
    "url",
)


def _requests_response(writer: Writer, value: Any) -> list[Any]:
    node = dict(writer.attributes({name: getattr(value, name, None) for name in _KEPT}))
    if value._content is False and _is_small(value.headers):
        value.content  # noqa: B018 - reading it keeps it for the program as well
    if value._content is not False:
        node["_content"] = writer.node(value._content)
    elif writer.lenient:
        node["_content"] = left_out(bytes, "was not read while the step was executed.")
    else:
        raise Unwritable(type(value), _UNREAD)
    if len(value.cookies):
        node["cookies"] = left_out(type(value.cookies), _NOT_KEPT)
    return [node]


def _is_small(headers: Any) -> bool:
    length = str(headers.get("content-length", ""))
    return length.isdecimal() and int(length) <= _SMALL


def _made_response(cls: Any, data: list[Any]) -> Any:
    value = cls()
    value.__dict__.update(data[0])
    value._content_consumed = True
    return value


def _requests_request(writer: Writer, value: Any) -> list[Any]:
    body = None if value.body is None else left_out(type(value.body), _NOT_KEPT)
    url = None if value.url is None else _without_password(value.url)
    return [value.method, writer.node(url), writer.node(value.headers), body]


def _made_request(cls: Any, data: list[Any]) -> Any:
    value = cls()
    value.method, value.url, value.headers, value.body = data
    return value


_PAIRS: Final = Library(
    lambda writer, value: _pairs(writer, value.items()),
    lambda cls, pairs: cls([(name, held) for name, held in pairs]),
)


def _made_message(cls: Any, pairs: list[Any]) -> Any:
    value = cls()
    for name, held in pairs:
        value.add_header(name, held)
    return value


def _made_proxy(cls: Any, pairs: list[Any]) -> Any:
    multidict: Any = sys.modules["multidict"]
    inner = multidict.CIMultiDict if cls is multidict.CIMultiDictProxy else multidict.MultiDict
    return cls(inner([(name, held) for name, held in pairs]))


HTTP_MESSAGES: Final[Mapping[ClassName, Library]] = {
    **{(client, name): how for client in _CLIENTS for name, how in _HTTPX.items()},
    ("requests.models", "Response"): Library(_requests_response, _made_response),
    ("requests.models", "PreparedRequest"): Library(_requests_request, _made_request),
    ("requests.structures", "CaseInsensitiveDict"): _PAIRS,
    ("http.client", "HTTPMessage"): _PAIRS._replace(make=_made_message),
    ("multidict._multidict", "CIMultiDict"): _PAIRS,
    ("multidict._multidict", "MultiDict"): _PAIRS,
    ("multidict._multidict", "CIMultiDictProxy"): _PAIRS._replace(make=_made_proxy),
    ("multidict._multidict", "MultiDictProxy"): _PAIRS._replace(make=_made_proxy),
}
"""By class."""
