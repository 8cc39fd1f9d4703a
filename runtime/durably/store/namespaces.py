"""What a namespace may be, and what it means that one matches a pattern."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidNamespaceError
from .ops import MatchCondition, Namespace

_FOREIGN_ROOT = "langgraph"


def checked(namespace: Any) -> Namespace:
    """Return *namespace* as a tuple of labels that a store can keep.

    Raises:
        InvalidNamespaceError: It is no sequence of strings, or a label is empty, holds a period
            or NUL, or is not valid Unicode.
    """
    if not isinstance(namespace, list | tuple):
        raise InvalidNamespaceError(
            f"namespace {namespace!r} is of type {type(namespace).__name__}; "
            'give a tuple of strings, such as ("users", "42")'
        )
    for label in namespace:
        wrong = _wrong(label)
        if wrong:
            raise InvalidNamespaceError(
                f"label {label!r} of namespace {tuple(namespace)!r} {wrong}; choose another label"
            )
    return tuple(namespace)


def checked_home(namespace: Any) -> Namespace:
    """Return *namespace* as one that an item can be put in.

    Raises:
        InvalidNamespaceError: As in :func:`checked`, or it is empty, or its root is ``langgraph``,
            which LangGraph keeps for itself.
    """
    labels = checked(namespace)
    if not labels:
        raise InvalidNamespaceError("the namespace is empty; an item needs at least one label")
    if labels[0] == _FOREIGN_ROOT:
        raise InvalidNamespaceError(
            f"the root of namespace {labels!r} is reserved, as in LangGraph; choose another one"
        )
    return labels


def _wrong(label: Any) -> str:
    """Say what is wrong with a label, or nothing."""
    if not isinstance(label, str):
        return f"is of type {type(label).__name__}, not a string"
    if not label:
        return "is empty"
    if "." in label or "\0" in label:
        return "holds a period or a NUL, which separate labels in storage"
    if not is_unicode(label):
        return "is not valid Unicode"
    return ""


def is_unicode(text: str) -> bool:
    """Say whether *text* can be written as UTF-8; half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_below(namespace: Namespace, prefix: Namespace) -> bool:
    """Say whether *namespace* is *prefix* or lies under it; labels are taken literally."""
    return namespace[: len(prefix)] == prefix


def fulfils(namespace: Namespace, condition: MatchCondition) -> bool:
    """Say whether *namespace* begins or ends as *condition* wants it."""
    path = condition.path
    if len(namespace) < len(path):
        return False
    end = namespace[: len(path)] if condition.match_type == "prefix" else namespace[-len(path) :]
    return all(wanted in ("*", label) for label, wanted in zip(end, path, strict=False))
