"""Ranking: the records that are most like a query come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .records import Record
from .vectors import cosines


def ranked(
    candidates: Sequence[Record], query: bytes, vectors: Mapping[int, Sequence[bytes]]
) -> list[tuple[Record, float | None]]:
    """Return the candidates with their scores, best first, those without a score at the end.

    A record with several vectors has the score of the best of them. A vector of another length
    than the query's, which another model made, is not compared.

    Args:
        candidates: The records, in the order that equals keep.
        query: The query's packed vector.
        vectors: The records' packed vectors, by id.
    """
    owners: list[int] = []
    packed: list[bytes] = []
    for record in candidates:
        for vector in vectors.get(record.id, ()):
            if len(vector) == len(query):
                owners.append(record.id)
                packed.append(vector)
    best: dict[int, float] = {}
    for owner, score in zip(owners, cosines(query, packed), strict=True):
        best[owner] = max(score, best.get(owner, score))
    scored = [record for record in candidates if record.id in best]
    scored.sort(key=lambda record: -best[record.id])
    rest = [record for record in candidates if record.id not in best]
    return [(record, best.get(record.id)) for record in [*scored, *rest]]
