"""A small framework with every shape of function that a seam may sit on; it knows no durably."""

from __future__ import annotations

__version__ = "2.5.0"
