"""What every storage refuses, and in which words."""

from __future__ import annotations

from ...errors import JournalError, LeaseLost, ThreadBusy
from ..storage import Lease
from .process_identity import is_dead, short


def check_free(thread: str, holder: str | None, until: float, owner: str, now: float) -> None:
    """Refuse a thread that a living process other than *owner* holds.

    Args:
        thread: The thread's id.
        holder: Who took it last; ``None`` when it was given back.
        until: When the holder's lease runs out, in seconds since the epoch.
        owner: Who asks; an empty string for somebody who holds nothing.
        now: Seconds since the epoch.

    Raises:
        ThreadBusy: The holder's lease has not run out, and its process may be alive.
    """
    if holder is None or holder == owner or now >= until or is_dead(holder):
        return
    raise ThreadBusy(thread, short(holder))


def lease_lost(lease: Lease, holder: str | None) -> LeaseLost:
    """Say that *lease* no longer holds; *holder* is who has the thread now, if anybody."""
    now = f"is now driven by {short(holder)}" if holder else "was released or deleted"
    return LeaseLost(
        f"thread {lease.thread!r} {now}; {short(lease.owner)} lost it (epoch {lease.epoch}) and "
        "what it tried to write was refused. Nothing recorded is lost: stop here, and run again "
        "to continue from the journal."
    )


def out_of_order(thread: str, seq: int, head: int) -> JournalError:
    """Say that row *seq* does not follow the thread's last row."""
    return JournalError(
        f"row {seq} of thread {thread!r} does not follow its last row, {head}; nothing was "
        "written. Read the thread again before appending to it."
    )


def missing_row(thread: str, seq: int, where: str) -> str:
    """Say that a stored thread has a gap or a damaged row, in words fit for a JournalCorrupt."""
    return (
        f"{where}: row {seq} of thread {thread!r} is missing or damaged. Run `durably doctor`, and "
        "restore a copy of the journal or delete the thread; other threads are not affected."
    )
