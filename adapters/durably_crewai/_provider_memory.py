"""What a provider of people's input remembers: recorded with what it returned, put back on replay.

A provider may keep in its attributes, or in those of its class, which question it is at, or what
was said. On replay it is not asked, so that this would be lost with the call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from durably.adapting import Run
from durably.errors import EncodeError

Place: TypeAlias = tuple[str, str]
"""The class whose attribute it is, empty for the provider's own, and the attribute's name."""

PROVIDERS = "crewai.core.providers.human_input"
"""The module that CrewAI's own provider of people's input is defined in."""


def provider_here() -> Any:
    """Return the provider that CrewAI asks in this context."""
    return sys.modules[PROVIDERS].get_provider()


class ProviderMemory:
    """A provider's data, as it was before somebody was asked.

    Args:
        run: Encodes values.
        provider: Whose.
    """

    def __init__(self, run: Run, provider: object) -> None:
        self._run = run
        self._provider = provider
        self._before = {place: data for place, _, data in self._data()}

    def changes(self) -> list[tuple[Place, Any]]:
        """Return what the provider remembers now and did not before."""
        return [
            (place, value) for place, value, data in self._data() if self._before.get(place) != data
        ]

    def put_back(self, changes: list[tuple[Place, Any]]) -> None:
        """Have the provider remember what :meth:`changes` returned in another process."""
        holders = dict(self._holders())
        for (holder, name), value in changes:
            if holder in holders:
                setattr(holders[holder], name, value)

    def _data(self) -> Iterator[tuple[Place, Any, bytes]]:
        for holder, thing in self._holders():
            attributes: Mapping[str, Any] = vars(thing)
            for name, value in list(attributes.items()):
                if name.startswith("__"):
                    continue
                try:
                    yield (holder, name), value, self._run.codec.encode(value)
                except EncodeError:
                    continue  # a connection, a function: it works, and remembers nothing

    def _holders(self) -> Iterator[tuple[str, Any]]:
        """Yield the provider and its classes, but for CrewAI's and Python's."""
        if hasattr(self._provider, "__dict__"):
            yield "", self._provider
        for cls in type(self._provider).__mro__:
            package = cls.__module__.partition(".")[0]
            if package != "crewai" and package not in sys.stdlib_module_names:
                yield cls.__qualname__, cls
