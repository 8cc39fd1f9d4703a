"""What a store raises beside the errors of the journal.

Both are also ``ValueError``, as in LangGraph, so that a program's own ``except`` still fits.
"""

from __future__ import annotations

from ..errors import DurablyError


class InvalidNamespaceError(DurablyError, ValueError):
    """A namespace is not a tuple of usable labels; name and rules as in LangGraph."""


class EmbeddingError(DurablyError, ValueError):
    """The index's ``embed`` cannot be used, or what it returned are no vectors for the texts."""
