"""Rules: which steps they fit, and which one decides what."""

from __future__ import annotations

import pytest

import durably
from durably import InMemoryCache, Match, RetryPolicy, StepPolicy, TimeoutPolicy
from durably.journal import Codec
from durably.policies import Policies, Rule, policy_of, rules_of
from durably.policies.match import StepKind

STEP = StepKind("crewai", "tool", "delete_file", "Writer")


def made(rules) -> Policies:
    return Policies(rules, codec=Codec(), open_cache=InMemoryCache, price=lambda *_: None)


@pytest.mark.parametrize(
    "pattern",
    [
        "delete_file",
        "delete_*",
        "tool",
        "tool:delete_file",
        "tool:*",
        "t*:delete_file",
        "*",
        Match(),
        Match(kind="tool", agent="Wri*"),
        Match(name=("make_*", "delete_*"), adapter="crewai"),
    ],
)
def test_these_patterns_fit(pattern):
    """A pattern is a kind, a name, ``kind:name``, a glob of either, or a Match."""
    assert Match.of(pattern).fits(STEP)


@pytest.mark.parametrize(
    "pattern",
    [
        "delete",
        "model",
        "model:delete_file",
        "DELETE_*",
        Match(agent="Reader"),
        Match(adapter="autogen"),
        Match(name=("make_*", "remove_*")),
        Match(kind=("model", "task")),
    ],
)
def test_these_patterns_do_not_fit(pattern):
    """Every part must fit, letter by letter."""
    assert not Match.of(pattern).fits(STEP)


def test_a_models_name_with_a_colon_is_no_kind():
    """``llama3:8b`` is a name; only kinds stand before a colon."""
    assert Match.of("llama3:8b") == Match(name="llama3:8b")
    assert Match.of("[ab]*") == Match(name="[ab]*")


def test_the_last_rule_that_fits_wins_field_by_field():
    """A later rule changes what it says and leaves the rest to the others."""
    first = StepPolicy(retry=RetryPolicy(max_attempts=5), effect="once", approve=True)
    rules = [
        Rule(Match.of("tool"), first, "file"),
        Rule(Match.of("delete_*"), StepPolicy(approve=False), "flag"),
        Rule(Match.of("other"), StepPolicy(effect=None, concurrency=1), "never"),
    ]
    found = made(rules).resolved(STEP)
    assert found.policy == StepPolicy(
        retry=RetryPolicy(max_attempts=5), effect="once", approve=False
    )
    assert {name: one.rule.origin for name, one in found.said.items()} == {
        "retry": "file",
        "effect": "file",
        "approve": "flag",
    }


def test_what_the_program_says_itself_is_the_lowest():
    """A rule from outside of the program beats the program's own decorator."""
    policies = made(rules_of({"tool": StepPolicy(concurrency=2)}, "wrap"))
    own = StepPolicy(concurrency=9, effect="once")
    found = policies.resolved(STEP, own)
    assert found.policy == StepPolicy(concurrency=2, effect="once")
    assert found.said["effect"].rule.origin == "the program itself"


def test_the_decorator_leaves_the_function_as_it_is():
    """It can be called as before, and its policy is found on it and on what wraps it."""

    @durably.policy(effect="once", timeout=30, retry=2)
    def charge(amount):
        return amount

    assert charge(5) == 5
    assert policy_of(None, object(), charge) == StepPolicy(
        effect="once", timeout=TimeoutPolicy(run_timeout=30), retry=RetryPolicy(max_attempts=2)
    )
    assert policy_of(len, None) is None
