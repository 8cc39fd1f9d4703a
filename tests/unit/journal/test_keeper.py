"""Leases that could not be given back do not keep their own process from going on."""

from __future__ import annotations

import pytest

from durably.errors import StorageError, ThreadBusy
from durably.journal import Codec, Journal, Lease, MemoryStorage
from durably.journal.records import RunWaiting
from durably.testing import FakeClock


class Flaky(MemoryStorage):
    """A storage that is away when a test says so."""

    is_away = False

    def renew(self, lease: Lease, until: float) -> None:
        if self.is_away:
            raise StorageError("away")
        super().renew(lease, until)


def test_a_thread_is_free_again_when_its_storage_is():
    """What a storage refused to take back is given back before the thread is taken again."""
    storage = Flaky()
    journal = Journal(storage, Codec(), FakeClock().now)
    log = journal.take("t")
    storage.is_away = True
    with pytest.raises(StorageError):
        log.release()
    with pytest.raises(ThreadBusy):
        journal.take("t")
    storage.is_away = False
    journal.take("t").release()


def test_a_lease_that_is_owed_takes_nothing_from_its_heir():
    """Whoever took the thread meanwhile keeps it."""
    storage, clock = Flaky(), FakeClock()
    journal = Journal(storage, Codec(), clock.now)
    log = journal.take("t")
    storage.is_away = True
    with pytest.raises(StorageError):
        log.release()
    storage.is_away = False
    clock.advance(60)
    heir = Journal(storage, Codec(), clock.now).take("t")
    with pytest.raises(ThreadBusy):
        journal.take("t")
    assert heir.append("run", RunWaiting(0.0, [])) == 1
