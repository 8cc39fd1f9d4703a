"""Prices of models, by the list of genai-prices."""

from __future__ import annotations

import pytest

import durably_cost
from durably.hooks import Plugins


@pytest.mark.parametrize(
    "name",
    ["gpt-4o-mini", "openai/gpt-4o-mini", "claude-3-5-haiku-latest", "gemini/gemini-2.0-flash"],
)
def test_models_are_known_by_the_names_that_frameworks_use(name):
    """With a provider in front or without."""
    cost = durably_cost.price(name, {"input_tokens": 1000, "output_tokens": 1000})
    assert cost is not None
    assert 0 < cost < 1


def test_tokens_of_both_kinds_count():
    """Answers cost more than requests, and more of them more."""
    asked = durably_cost.price("gpt-4o", {"input_tokens": 1000, "output_tokens": 0})
    answered = durably_cost.price("gpt-4o", {"input_tokens": 0, "output_tokens": 1000})
    both = durably_cost.price("gpt-4o", {"input_tokens": 1000, "output_tokens": 1000})
    assert asked is not None
    assert answered is not None
    assert both == pytest.approx(asked + answered)
    assert answered > asked


def test_a_model_that_is_not_in_the_list_has_no_price():
    """Another plug-in, or the file, may know it."""
    assert durably_cost.price("my-own-model", {"input_tokens": 10}) is None
    assert durably_cost.price("gpt-4o", {}) is None


def test_it_is_found_as_any_plug_in_is():
    """By its entry point."""
    plugins = Plugins()
    assert "cost" in {one.name for one in plugins.infos}
    assert plugins.know_prices
    assert plugins.price("gpt-4o", {"input_tokens": 1000, "output_tokens": 10}) is not None
