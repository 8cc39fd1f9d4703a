"""The one context variable: where in which run the calling code is."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scope import Scope

scope_var: ContextVar[Scope | None] = ContextVar("durably_scope", default=None)


def current() -> Scope | None:
    """Return the scope that the calling code runs in, or None outside of any run."""
    return scope_var.get()
