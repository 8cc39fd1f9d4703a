"""What an entrypoint's ``context`` must be, as a JSON schema."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, is_typeddict


def context_jsonschema(schema: type[Any] | None) -> dict[str, Any] | None:
    """Return the JSON schema of a context; None if there is none.

    Args:
        schema: What the entrypoint was given as ``context_schema``.

    Raises:
        ValueError: It is no pydantic model, dataclass or ``TypedDict``.
    """
    if schema is None:
        return None
    if not (hasattr(schema, "model_json_schema") or is_dataclass(schema) or _is_typed_dict(schema)):
        raise ValueError(
            f"context_schema {schema!r} is no pydantic model, dataclass or TypedDict, so it has no "
            "JSON schema"
        )
    from pydantic import TypeAdapter

    return TypeAdapter(schema).json_schema()


def _is_typed_dict(schema: Any) -> bool:
    if is_typeddict(schema):
        return True
    from typing_extensions import is_typeddict as is_extension

    return is_extension(schema)
