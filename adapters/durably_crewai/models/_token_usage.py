"""What a flow's method spent: tokens, as CrewAI announces them and as model objects count them.

A method that is not executed again calls no model. Its flow, and the model objects that other
methods use too, must still have counted its tokens.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Usage = dict[str, Any]
"""Tokens as ``LLMCallCompletedEvent`` tells them."""

Counts = Mapping[str, int]
"""What a model object has added to its counters."""

_AGENT_MODELS = ("llm", "function_calling_llm")

_spent: ContextVar[tuple[Spent, ...]] = ContextVar("durably_crewai_spent", default=())
"""What the methods have spent that the calling code is part of."""


class Spent:
    """What is spent in a block.

    Attributes:
        usages: Tokens, call by call.
    """

    def __init__(self) -> None:
        self.usages: list[Usage] = []
        self._counted: list[tuple[Any, Counts]] = []

    @contextmanager
    def noted(self) -> Generator[None]:
        """Take note of what is spent in the block."""
        token = _spent.set((*_spent.get(), self))
        try:
            yield
        finally:
            _spent.reset(token)

    def count(self, model: Any, counts: Counts) -> None:
        """Take note of what a model object has counted."""
        self._counted.append((model, counts))

    def by_models_of(self, flow: Any) -> dict[str, Counts]:
        """Return what models have counted that are there before a method and after it, by place."""
        found: dict[str, dict[str, int]] = {}
        places = {id(model): place for place, model in reversed(list(_lasting_models(flow)))}
        for model, counts in self._counted:
            place = places.get(id(model))
            if place is not None:
                total = found.setdefault(place, {})
                for name, count in counts.items():
                    total[name] = total.get(name, 0) + count
        return dict(found)


def note_usage(event: Any) -> None:
    """Note the tokens that a model call, as CrewAI announces it, has used."""
    usage = getattr(event, "usage", None)  # CrewAI 1.12 tells none
    if event.type == "llm_call_completed" and isinstance(usage, dict):
        add_usages([usage])


def add_usages(usages: Iterable[Usage]) -> None:
    """Take note of tokens in every method that the calling code is part of."""
    for one in _spent.get():
        one.usages.extend(usages)


def note_tokens(model: Any, counts: Counts) -> None:
    """Note what a model object has counted for one call."""
    for one in _spent.get():
        one.count(model, counts)


def count_again(flow: Any, by_place: Mapping[str, Counts]) -> None:
    """Have the models of *flow* count what a method had spent that is not executed again."""
    models = dict(_lasting_models(flow)) if by_place else {}
    for place, counts in by_place.items():
        counters = getattr(models.get(place), "_token_usage", None)
        if counters is not None:
            for name, count in counts.items():
                counters[name] = counters.get(name, 0) + count
            note_tokens(models[place], counts)


def _lasting_models(flow: Any) -> Generator[tuple[str, Any]]:
    """Yield the model objects that a flow's methods can share, each by the place it is found in.

    These are attributes of the flow, globals of its module and of the program, and variables of
    the function that its class was defined in; and those of agents and crews found there.
    """
    for where, names in _namespaces(flow):
        for name, value in list(names.items()):
            yield from _models_in(f"{where}.{name}", value)


def _namespaces(flow: Any) -> Generator[tuple[str, Mapping[str, Any]]]:
    yield "self", vars(flow)
    yield "class", vars(type(flow))
    for name, method in sorted(getattr(flow, "_methods", {}).items()):
        yield f"method {name}", _closure(method)
    for module in (type(flow).__module__, "__main__"):
        yield module, vars(sys.modules[module]) if module in sys.modules else {}


def _closure(method: Any) -> dict[str, Any]:
    function = getattr(method, "_meth", method)
    function = getattr(function, "__func__", function)
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    found: dict[str, Any] = {}
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def _models_in(place: str, value: Any) -> Generator[tuple[str, Any]]:
    names = {cls.__name__ for cls in type(value).__mro__}
    if isinstance(getattr(value, "_token_usage", None), dict):
        yield place, value
    elif "BaseAgent" in names:
        for part in _AGENT_MODELS:
            yield from _models_in(f"{place}.{part}", vars(value).get(part))
    elif "Crew" in names:
        for number, agent in enumerate(value.agents):
            yield from _models_in(f"{place}[{number}]", agent)
