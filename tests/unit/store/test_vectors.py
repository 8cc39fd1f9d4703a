"""Vectors and their likeness."""

from __future__ import annotations

import math

import pytest

from durably.store import vectors as _vectors
from durably.store.vectors import cosines, dims, pack

VECTORS = [[1.0, 0.0], [1.0, 1.0], [-2.0, 0.0], [0.0, 0.0], [1e30, 1e30]]
EXPECTED = [1.0, math.sqrt(0.5), -1.0, 0.0, math.sqrt(0.5)]


@pytest.mark.parametrize("numpy", [True, False])
def test_cosine(monkeypatch: pytest.MonkeyPatch, *, numpy: bool):
    """Likeness is the angle's cosine, with numpy and without; a vector of zeros is like nothing."""
    if numpy:
        pytest.importorskip("numpy")
    else:
        monkeypatch.setattr(_vectors, "_numpy", lambda: None)
    assert cosines(pack([2.0, 0.0]), [pack(one) for one in VECTORS]) == pytest.approx(EXPECTED)
    assert cosines(pack([0.0, 0.0]), [pack(one) for one in VECTORS]) == [0.0] * len(VECTORS)
    assert cosines(pack([1.0]), []) == []


def test_packed_vector_knows_its_length():
    """Four bytes for each number."""
    assert len(pack([1, 2.0, True])) == 12
    assert dims(pack([1, 2.0, True])) == 3


@pytest.mark.parametrize("bad", [[], [math.inf], [math.nan], ["x"], [None], [1e300], 5])
def test_what_is_no_vector(bad: object):
    """Nothing, strings and numbers that are not finite are refused."""
    with pytest.raises((ValueError, TypeError)):
        pack(bad)  # type: ignore[arg-type]
