"""The methods by which programs read and edit the state of an entrypoint's threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from ...types import StateSnapshot
from .history import History


class ThreadStates:
    """Methods of an entrypoint, by LangGraph's names."""

    @property
    def _history(self) -> History:
        """The states of the entrypoint's threads.

        Raises:
            ValueError: It has no checkpointer.
        """
        raise NotImplementedError

    def _parted(self, values: Any) -> tuple[Any, Any]:
        """Return what a thread's last run is said to have returned, and to have saved."""
        raise NotImplementedError

    def get_state(self, config: Mapping[str, Any], *, subgraphs: bool = False) -> StateSnapshot:
        """Return the thread's state now, or at the moment that ``checkpoint_id`` names."""
        del subgraphs  # nested entrypoints are part of their caller's run
        return self._history.state(config)

    def get_state_history(
        self,
        config: Mapping[str, Any],
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the name is LangGraph's
        before: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the thread's states, newest first.

        Args:
            config: Names the thread.
            filter: Metadata that a state must have.
            before: Only states before the one that this config addresses.
            limit: At most so many.
        """
        yield from self._history.states(config, matching=filter, before=before, limit=limit)

    def update_state(
        self, config: Mapping[str, Any], values: Any, as_node: str | None = None
    ) -> dict[str, Any]:
        """Edit the thread: *values* is taken for what its last run returned and saved.

        A run that had not finished is given up. ``entrypoint.final(value=…, save=…)`` says the two
        apart.

        Returns:
            The config that addresses the new state.
        """
        del as_node  # an entrypoint is its only node
        value, save = self._parted(values)
        return self._history.update(config, value, save)

    async def aget_state(
        self, config: Mapping[str, Any], *, subgraphs: bool = False
    ) -> StateSnapshot:
        """Like :meth:`get_state`."""
        return await asyncio.to_thread(self.get_state, config, subgraphs=subgraphs)

    async def aget_state_history(
        self,
        config: Mapping[str, Any],
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - as in get_state_history
        before: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Like :meth:`get_state_history`."""
        for state in await asyncio.to_thread(
            lambda: list(self._history.states(config, matching=filter, before=before, limit=limit))
        ):
            yield state

    async def aupdate_state(
        self, config: Mapping[str, Any], values: Any, as_node: str | None = None
    ) -> dict[str, Any]:
        """Like :meth:`update_state`."""
        return await asyncio.to_thread(self.update_state, config, values, as_node)
