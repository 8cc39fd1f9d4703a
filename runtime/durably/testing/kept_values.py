"""Values that no journal can hold, kept alive beside one that lives no longer than they do."""

from __future__ import annotations

from typing import Any

from ..errors import DecodeError
from ..journal import Codec, TypeCodec


class _Ticket:
    """Stands for a value in the journal."""

    def __init__(self, number: int) -> None:
        self.number = number


class KeptValues:
    """A mock, a lock or an open file as a step's result: the journal holds a ticket for it.

    What is read back for the ticket is that very object. In another process there is none, which
    is an error that says so.

    Args:
        codec: The journal's.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._values: list[Any] = []
        codec.register(TypeCodec(_Ticket, "kept", lambda ticket: ticket.number, self._redeem))

    def keep(self, value: Any) -> tuple[bytes, dict[bytes, bytes]]:
        """Keep *value* and return what is stored for it."""
        self._values.append(value)
        return self._codec.encode(_Ticket(len(self._values) - 1)), {}

    def clear(self) -> None:
        """Let go of everything."""
        self._values.clear()

    def _redeem(self, number: Any) -> Any:
        try:
            return self._values[number]
        except (IndexError, TypeError):
            raise DecodeError(
                "the journal names a value that could not be written and was kept in the test's "
                "own process only; it cannot be replayed anywhere else"
            ) from None
