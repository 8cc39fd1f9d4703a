"""What stands in a rebuilt exception for a part of it that could not be recorded."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from ormsgpack import Ext, packb

from ...errors import DecodeError
from .class_names import reference
from .format import LEFT_OUT, OPTIONS

_NOT_RECORDED: Final = "could not be recorded."


class LeftOut:
    """A part of a recorded exception that the journal does not hold; it fails when it is used.

    It is there so that a program that looks at the part is told why it cannot, in place of
    finding nothing and going another way than it went before.

    Args:
        what: The class of what was left out, as ``module:qualname``.
        why: Why it was left out, as a sentence without its subject.

    Attributes:
        __what__: As given.
        __why__: As given.
    """

    __slots__ = ("__what__", "__why__")

    def __init__(self, what: str, why: str) -> None:
        self.__what__ = what
        self.__why__ = why

    def __repr__(self) -> str:
        return f"<{self.__what__}, not recorded by durably>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LeftOut) and self.__what__ == other.__what__

    def __hash__(self) -> int:
        return hash(self.__what__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # who copies or inspects it asks what it can
        self._fail(f"its attribute {name!r} was read")

    def __bool__(self) -> bool:  # noqa: PLE0304
        self._fail("its truth was asked")

    def __iter__(self) -> Any:
        self._fail("it was iterated over")

    def __len__(self) -> int:  # noqa: PLE0303
        self._fail("its length was asked")

    def __getitem__(self, key: Any) -> Any:
        self._fail(f"its item {key!r} was read")

    def __contains__(self, item: object) -> bool:
        self._fail("its items were searched")

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:  # noqa: D102
        self._fail("it was called")

    def _fail(self, how: str) -> NoReturn:
        raise DecodeError(
            f"this exception comes from the journal, and {how}: a part of it, of the class "
            f"{self.__what__}, {self.__why__} Read what you need of it inside of the step, and "
            "keep that as an attribute of the exception; or register a TypeCodec for the class."
        )


def left_out(cls: type, why: str = _NOT_RECORDED) -> Ext:
    """Return what is written in place of an object of *cls*."""
    return Ext(LEFT_OUT, packb([reference(cls), why], None, OPTIONS))
