"""Question ids of copied runs: a run's questions have ids that no other run's have."""

from __future__ import annotations

import hashlib

from .records import Answered, Asked, Record, RunWaiting


def copied_id(run: str, question: str) -> str:
    """Return the id that a question has in a copy of the run that asked it: 32 hex digits.

    Args:
        run: The copy's id.
        question: The question's id in the run that was copied.
    """
    text = f"{run}|{question}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def with_copied_ids(run: str, record: Record) -> Record:
    """Return a record of a run as its copy *run* holds it; only ids of questions are changed."""
    if isinstance(record, Asked | Answered):
        return record._replace(id=copied_id(run, record.id))
    if isinstance(record, RunWaiting):
        return record._replace(open=[copied_id(run, one) for one in record.open])
    return record
