"""The one context variable: the scope of the calling code."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

# Typed Any: the variable lies below every room that a scope is made of.
scope_var: ContextVar[Any] = ContextVar("durably_scope", default=None)
"""The scope (:class:`.scope.Scope`) that the calling code runs in, or None outside of runs."""
