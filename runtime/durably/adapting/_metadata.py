"""What an adapter says of itself and its steps, the same way as every other adapter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_ARGUMENT = 24
_LABEL = 80
_REQUIREMENT = re.compile(r"\s*([\w.-]+)\s*(?:\[[^]]*\])?\s*\(?([^;@()]*)")


def supported_versions(distribution: str, fallback: str, *, declared_by: str = "durably") -> str:
    """Return the versions of a framework that a distribution's extra installs.

    A range is then written down once, in ``pyproject.toml``.

    Args:
        distribution: The framework's distribution: ``"crewai"``.
        fallback: The range if *declared_by* is not installed, or does not name the framework.
        declared_by: The adapter's own distribution.
    """
    for name, specifier in _required(declared_by):
        if name == _canonical(distribution) and specifier:
            return specifier
    return fallback


@lru_cache(maxsize=32)
def _required(distribution: str) -> tuple[tuple[str, str], ...]:
    """Return what a distribution and its extras require: names and version specifiers.

    Each adapter asks when it is loaded, in each process. Only the two parts in front are wanted of
    a requirement (PEP 508); the package that reads all of it takes longer than all of the adapters.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(distribution) or []
    except PackageNotFoundError:
        return ()
    found = [match.groups() for line in lines if (match := _REQUIREMENT.match(line))]
    return tuple((_canonical(name), specifier.replace(" ", "")) for name, specifier in found)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # PEP 503


def call_label(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a call as people read it, in at most 80 characters.

    Example:
        >>> call_label("send_mail", {"to": "ada", "body": "Dear Ada, your parcel was lost."})
        'send_mail(to="ada", body="Dear Ada, your parcel w…")'
    """
    parts = (f"{key}={_argument(value)}" for key, value in arguments.items())
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"


def _argument(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    if len(text) > _ARGUMENT:
        text = text[: _ARGUMENT - 1].rstrip() + "…"
    return f'"{text}"' if isinstance(value, str) else text
