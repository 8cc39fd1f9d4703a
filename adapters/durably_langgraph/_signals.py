"""LangGraph's signals: exceptions that say what a graph does next, and are no failures."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


class Bubble(BaseException):
    """Carries a signal past a step, which would record it as the step's failure.

    Attributes:
        signal: The exception that LangGraph raised.
    """

    def __init__(self, signal: Exception) -> None:
        super().__init__(signal)
        self.signal = signal


@contextmanager
def carried() -> Generator[None]:
    """Wrap the signals that leave the block; inside a step."""
    try:
        yield
    except Exception as error:
        from langgraph.errors import GraphBubbleUp

        if isinstance(error, GraphBubbleUp):
            raise Bubble(error) from None
        raise


@contextmanager
def unwrapped() -> Generator[None]:
    """Unwrap the signals that leave the block; around a step."""
    try:
        yield
    except Bubble as bubble:
        raise bubble.signal from None
