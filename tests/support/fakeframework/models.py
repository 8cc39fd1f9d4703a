"""Models: an abstract base, implementations of it, and one that keeps its subclassing to itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar


class Base(ABC):
    @abstractmethod
    def call(self, prompt): ...


class Model(Base):
    def call(self, prompt, temperature=0):
        return f"answer to {prompt}"

    async def acall(self, prompt):
        return f"awaited answer to {prompt}"

    async def stream(self, prompt):
        for word in ("streamed", "answer", "to", prompt):
            yield word


class Small(Model):
    def call(self, prompt, temperature=0):
        return f"small answer to {prompt}"


class Inheriting(Model):
    """Has no ``call`` of its own."""


class Counting:
    """Counts its subclasses and does not pass the message on."""

    known: ClassVar = []

    def __init_subclass__(cls, **kwargs):
        Counting.known.append((cls.__name__, kwargs))

    def call(self, prompt):
        return f"counted answer to {prompt}"


class Silencing(Counting):
    """Its subclasses are not told of, not even to ``Counting``."""

    def __init_subclass__(cls, **kwargs):
        pass
