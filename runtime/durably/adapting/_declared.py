"""What an adapter says of itself and its steps, the same way as every other adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ARGUMENT = 24
_LABEL = 80


def supported_versions(distribution: str, fallback: str, *, declared_by: str = "durably") -> str:
    """Return the versions of a framework that a distribution's extra installs.

    A range is then written down once, in ``pyproject.toml``.

    Args:
        distribution: The framework's distribution: ``"crewai"``.
        fallback: The range if *declared_by* is not installed, or does not name the framework.
        declared_by: The adapter's own distribution.
    """
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    try:
        declared = requires(declared_by) or []
    except PackageNotFoundError:
        return fallback
    wanted = canonicalize_name(distribution)
    for line in declared:
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) == wanted and requirement.specifier:
            return str(requirement.specifier)
    return fallback


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
