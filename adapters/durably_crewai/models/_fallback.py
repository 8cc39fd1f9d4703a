"""Other models in a model's place, when it is down or its quota is used up."""

from __future__ import annotations

import copy
from typing import Any

_COMMON = ("temperature", "top_p", "max_tokens", "seed")
"""Settings that every provider's class takes."""


def other_model(model: Any, name: str) -> Any:
    """Return what calls the model *name* as *model* would be called.

    Of the same provider it is a copy of *model* with its keys, address and counters; of another
    (``anthropic/claude-…``) it is made by ``crewai.LLM`` from the settings that both have.
    """
    provider, slash, bare = name.partition("/")
    if not slash or provider == getattr(model, "provider", ""):
        keeps_provider = str(model.model).startswith(f"{provider}/")
        own = name if not slash or keeps_provider else bare
        other = copy.copy(model)
        other.model = own
        return other
    from crewai import LLM

    settings = {key: getattr(model, key, None) for key in _COMMON}
    other = LLM(model=name, **{key: value for key, value in settings.items() if value is not None})
    if getattr(model, "stop", None):
        other.stop = model.stop  # as CrewAI's agents set it; not every class takes it
    return other
