"""What an adapter's table says of itself."""

from __future__ import annotations

import pytest

from durably.adapting import Adapter

from .runs import adapter, seam


def test_a_seam_names_the_module_it_waits_for():
    """The part before the colon is the module whose import puts the seam in."""
    assert seam("models:Model.call").module == "fakeframework.models"


@pytest.mark.parametrize(
    ("kind", "optional", "essential"),
    [
        ("model", False, True),
        ("tool", False, True),
        ("model", True, False),
        ("human", False, False),
        ("agent", False, False),
        ("support", False, False),
    ],
)
def test_paid_calls_and_effects_are_essential(kind, optional, essential):
    """A run must not go on without the seams of models and tools that every version has."""
    assert seam("models:Model.call", kind=kind, optional=optional).essential is essential


def test_an_adapter_claims_nothing_unless_it_says_so():
    """An adapter that only has seams wraps no object, and says which it is when asked to."""
    made = adapter()
    assert not made.claims(object())
    with pytest.raises(TypeError, match="the fake adapter cannot run object objects"):
        made.entry(object())


def test_an_adapter_has_no_seams_and_no_range_by_default():
    """A subclass fills in what it needs."""

    class Bare(Adapter):
        name = "bare"
        distribution = "bare"

    assert (Bare.seams, Bare.codecs, Bare.allow, Bare.requires) == ((), (), (), "")
    Bare().installed()
    Bare().uninstalled()
