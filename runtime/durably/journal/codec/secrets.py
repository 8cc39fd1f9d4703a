"""Secrets: classes whose values are never written, and headers whose values are masked.

A journal lies on disk for months and is copied, shown and exported; it has no key that a secret
could be sealed with. So a secret is refused, and the message says what to return instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from .class_names import ancestry, mapping_of
from .encoder import Unwritable, Writer

MASK: Final = "<secret, not recorded by durably>"
"""What stands in the journal for the value of a secret header."""

_WHY: Final = (
    "holds a secret, which is never written to the journal. Return a name by which the secret can "
    "be looked up again, leave it out of the value, or register a TypeCodec that seals it."
)
_UNMASKED: Final = "get_secret_value"
"""The method of pydantic's secrets, and of those made after them."""

_BY_NAME: Final = frozenset({("starlette.datastructures", "Secret")})
_HEADERS: Final = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "ocp-apim-subscription-key",
        "proxy-authorization",
        "set-cookie",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-goog-api-key",
        "x-goog-iam-authorization-token",
        "x-vault-token",
    }
)
_DEEPEST: Final = 16


def is_secret(cls: type) -> bool:
    """Tell whether the values of *cls* are secrets: pydantic's, Starlette's, and their like."""
    return any(
        _UNMASKED in mapping_of(base) or (base.__module__, base.__qualname__) in _BY_NAME
        for base in ancestry(cls)
    )


def refuse_secret(_writer: Writer, value: Any) -> NoReturn:
    """Refuse to write a secret."""
    raise Unwritable(type(value), _WHY)


def is_secret_header(name: object) -> bool:
    """Tell whether the header *name* carries credentials."""
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    return isinstance(name, str) and name.lower() in _HEADERS


def masked_header(name: Any, value: Any) -> Any:
    """Return the value of a header as it may be recorded."""
    if not is_secret_header(name) or not value:
        return value
    return MASK.encode() if isinstance(value, bytes) else MASK


def without_secrets(value: Any, depth: int = 0) -> Any:
    """Return *value* with the secret headers masked that its dicts hold; itself if there are none.

    Clients' errors carry the headers of a request or response as a plain dict.
    """
    kind = type(value)
    if depth > _DEEPEST or kind not in (dict, list, tuple):
        return value
    if kind is dict:
        new = {key: _masked_part(key, part, depth) for key, part in value.items()}
        return new if any(new[key] is not value[key] for key in new) else value
    parts = [without_secrets(part, depth + 1) for part in value]
    if all(part is old for part, old in zip(parts, value, strict=True)):
        return value
    return kind(parts)


def _masked_part(key: Any, part: Any, depth: int) -> Any:
    if isinstance(part, str | bytes):
        return masked_header(key, part)
    if is_secret_header(key) and type(part) in (list, tuple) and part:
        return type(part)(masked_header(key, one) for one in part)
    return without_secrets(part, depth + 1)


def masked_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an exception as they may be recorded."""
    return {name: _masked_part(name, part, 0) for name, part in values.items()}
