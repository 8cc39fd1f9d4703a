"""Secrets: classes whose values are never written, and headers whose values are masked.

A journal lies on disk for months and is copied, shown and exported; it has no key that a secret
could be sealed with. So a secret is refused, and the message says what to return instead.
"""

from __future__ import annotations

import re
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
_ENDINGS: Final = re.compile(r".*[-_](auth|key|password|secret|signature|token)")
_OPEN: Final = frozenset({"idempotency-key", "surrogate-key", "x-idempotency-key"})
"""Headers that only look like credentials."""

_HOLDERS: Final = frozenset({"default_headers", "extra_headers", "headers"})
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
    if not isinstance(name, str):
        return False
    name = name.lower()
    return name in _HEADERS or (name not in _OPEN and _ENDINGS.fullmatch(name) is not None)


def masked_header(name: Any, value: Any) -> Any:
    """Return the value of a header as it may be recorded."""
    if not is_secret_header(name) or not value:
        return value
    if type(value) in (list, tuple):
        return type(value)(masked_header(name, one) for one in value)
    return MASK.encode() if isinstance(value, bytes) else MASK


def without_secrets(value: Any, depth: int = 0) -> Any:
    """Return *value* with the secret headers masked that its dicts hold; itself if there are none.

    Clients' errors and options carry headers as a plain dict. Where a dict is not called so, only
    names count that nothing else has.

    Example:
        >>> without_secrets({"extra_headers": {"X-My-Token": "abc", "X-Beta": "1"}})
        {'extra_headers': {'X-My-Token': '<secret, not recorded by durably>', 'X-Beta': '1'}}
    """
    kind = type(value)
    if depth > _DEEPEST or kind not in (dict, list, tuple):
        return value
    if kind is dict:
        new = {key: _masked_part(key, part, depth) for key, part in value.items()}
        return value if all(new[key] is value[key] for key in new) else new
    parts = [without_secrets(part, depth + 1) for part in value]
    if all(part is old for part, old in zip(parts, value, strict=True)):
        return value
    return kind(parts)


def _masked_part(key: Any, part: Any, depth: int) -> Any:
    if isinstance(key, bytes):
        key = key.decode("latin-1")
    if key in _HOLDERS and type(part) is dict:
        return {name: masked_header(name, held) for name, held in part.items()}
    if isinstance(key, str) and key.lower() in _HEADERS:
        return masked_header(key, part)
    return without_secrets(part, depth + 1)


def masked_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an exception as they may be recorded."""
    return {name: _masked_part(name, part, 0) for name, part in values.items()}
