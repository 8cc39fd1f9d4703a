"""Ids of tool results that CrewAI keeps in files: models are told them, so they must come again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from durably.adapting import Scope


def token_urlsafe(scope: Scope, original: Callable[..., str], nbytes: Any = None) -> str:
    """Return an id that is the same on replay, as long as one of 16 random bytes."""
    del original, nbytes
    return base64.urlsafe_b64encode(scope.uuid().bytes).rstrip(b"=").decode()
