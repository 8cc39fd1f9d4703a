"""What checkpointers offer besides keeping rows: LangGraph's methods for whole threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Literal

from .thread_edits import copy_thread, keep_latest


class Saver:
    """Mixed into a storage that can rewrite threads, makes it a checkpointer by LangGraph's names.

    Example:
        >>> class MySaver(Saver, MyStorage): ...  # doctest: +SKIP
    """

    def setup(self) -> None:
        """Do nothing: a journal is made when it is opened."""

    def delete_thread(self, thread_id: str) -> None:
        """Forget a thread: its runs, its memory, its history.

        Raises:
            ThreadBusy: Somebody is driving it.
        """
        self.delete(str(thread_id), time.time())  # type: ignore[attr-defined]

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's runs, memory and history to a new thread.

        Raises:
            JournalError: The target is not empty.
            ThreadBusy: Somebody is driving the target.
        """
        copy_thread(self, str(source_thread_id), str(target_thread_id), time.time())  # type: ignore[arg-type]

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: Literal["keep_latest", "delete"] = "keep_latest",
    ) -> None:
        """Forget the older part of threads.

        Args:
            thread_ids: Which threads.
            strategy: ``keep_latest`` keeps each thread's last finished run and what came after it,
                ``delete`` keeps nothing.

        Raises:
            ThreadBusy: Somebody is driving one of them; those before it are pruned.
            ValueError: There is no such strategy.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"unknown strategy {strategy!r}; there are keep_latest and delete")
        for thread in thread_ids:
            if strategy == "delete":
                self.delete_thread(thread)
            else:
                keep_latest(self, str(thread), time.time())  # type: ignore[arg-type]

    async def adelete_thread(self, thread_id: str) -> None:
        """Like :meth:`delete_thread`."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Like :meth:`copy_thread`."""
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: Literal["keep_latest", "delete"] = "keep_latest",
    ) -> None:
        """Like :meth:`prune`."""
        await asyncio.to_thread(self.prune, thread_ids, strategy=strategy)
