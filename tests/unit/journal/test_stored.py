"""Blobs are compressed where that is worth it, and what is damaged is never read as a value."""

from __future__ import annotations

import random
import time

import pytest

from durably.errors import JournalCorrupt
from durably.journal import Codec, Journal, MemoryStorage
from durably.journal.codec.compression import hash_of, restored, stored
from durably.journal.records import Saved

WORDS = ["tea", "agent", "model", "answer", "report", "market"]
PROSE = " ".join(random.Random(1).choices(WORDS, k=3000))


def kept(data):
    [(key, found)] = stored({hash_of(data): data}).items()
    assert restored("t", {key: found}) == {key: data}
    return found


def test_a_large_text_is_compressed():
    """Prose takes a third of its size or less."""
    assert len(kept(PROSE.encode())) * 3 < len(PROSE)


@pytest.mark.parametrize("size", [1000, 5000, 200_000])
def test_what_does_not_shrink_is_kept_as_it_is(size):
    """An image, or anything else that is compressed already, is not made larger."""
    data = random.Random(size).randbytes(size)
    assert kept(data) is data


def test_what_shrinks_at_its_beginning_only_is_kept_as_it_is():
    """A header in front of an image does not make it worth compressing."""
    data = b" " * 5000 + random.Random(1).randbytes(200_000)
    assert kept(data) is data


def test_a_small_part_is_kept_as_it_is():
    """What is smaller than a page of the storage is not compressed."""
    data = PROSE[:3000].encode()
    assert kept(data) is data


@pytest.mark.parametrize("size", [2000, 9000])
def test_a_flipped_bit_is_found(size):
    """Damage anywhere in a blob is an error that names the thread, never another value."""
    data = PROSE[:size].encode()
    found = bytearray(kept(data))
    for at in range(0, len(found), 97):
        found[at] ^= 4
        with pytest.raises(JournalCorrupt, match="thread 'tea'"):
            restored("tea", {hash_of(data): bytes(found)})
        found[at] ^= 4


def test_a_journal_keeps_large_values_compressed():
    """Whoever writes through a journal reads the same again, from less."""
    storage = MemoryStorage()
    journal = Journal(storage, Codec())
    log = journal.take("t")
    body, blobs = journal.codec.split({"text": PROSE})
    log.append("run", Saved(time.time(), body), blobs=blobs)
    log.release()

    [found] = [entry.record for entry in journal.read("t") if isinstance(entry.record, Saved)]
    assert journal.value("t", found.value) == {"text": PROSE}
    assert sum(map(len, storage.fetch("t", list(blobs)).values())) * 3 < len(PROSE)
    journal.close()
