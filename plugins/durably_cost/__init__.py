"""What model calls cost, by the price list of the package ``genai-prices``.

It comes with ``pip install "durably[cost]"``; without it this plug-in knows no price. The list is
the one in the installed package, nothing is looked up elsewhere. Importing it takes about a second,
so that is left to the first model call that has a price to be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

from durably import hookimpl

_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")

if find_spec("genai_prices") is not None:

    @hookimpl
    def price(model: str, usage: Mapping[str, Any]) -> float | None:
        """Return what a call cost in USD, or None if the list does not have the model."""
        counts = {name: int(usage[name]) for name in _COUNTS if usage.get(name)}
        place = _place_of(model)
        if place is None or not counts:
            return None
        from genai_prices import Usage, calc_price

        name, provider = place
        found = calc_price(Usage(**counts), model_ref=name, provider_id=provider)
        return float(found.total_price)


@cache
def _place_of(model: str) -> tuple[str, str | None] | None:
    """Return a model's name and provider as the list has them, or None if it does not.

    Frameworks write ``provider/model``, or the model alone.
    """
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition("/")
    for place in ((name, provider), (model, None), (name, None)):
        try:
            calc_price(Usage(input_tokens=1), model_ref=place[0], provider_id=place[1])
        except LookupError:
            continue
        return place
    return None
