"""Tasks whose results serve other calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..types import CachePolicy


class Cached:
    """One function's results in a cache."""

    def __init__(self, func: Callable[..., Any], policy: CachePolicy) -> None:
        self._func = func
        self._policy = policy
