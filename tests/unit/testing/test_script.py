"""Scripts of the model server: matching, precedence, counts, the JSON form."""

from __future__ import annotations

import json
import re

import pytest

from durably.testing.demos import SCRIPTS
from durably.testing.model_server.reply import Reply
from durably.testing.model_server.request import Request
from durably.testing.model_server.script import (
    NoRuleMatched,
    Rule,
    RuleScript,
    When,
    dump_rules,
    load_rules,
)


def chat(*messages, **body):
    return Request({"model": "m", "messages": list(messages), **body})


def says(role, content, **more):
    return {"role": role, "content": content, **more}


def calls(*names):
    return says(
        "assistant",
        None,
        tool_calls=[
            {"id": f"id-{name}", "type": "function", "function": {"name": name, "arguments": "{}"}}
            for name in names
        ],
    )


def result(name, content):
    return says("tool", content, tool_call_id=f"id-{name}")


CONVERSATION = chat(
    says("system", "You are terse."),
    says("user", "First question"),
    says("assistant", "First answer"),
    says("user", [{"type": "text", "text": "Second "}, {"type": "text", "text": "question"}]),
)


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(), True),
        (When(user="Second question"), True),
        (When(user="First"), False),
        (When(user=re.compile(r"^second", re.IGNORECASE)), True),
        (When(user=re.compile(r"^question")), False),
        (When(system="terse"), True),
        (When(system="question"), False),
        (When(anywhere="First answer"), True),
        (When(anywhere="Third"), False),
        (When(model="m"), True),
        (When(model="n"), False),
        (When(turns=1), True),
        (When(turns=0), False),
        (When(user="Second", turns=0), False),
        (When(tool="search"), False),
        (When(result="anything"), False),
    ],
)
def test_a_condition_looks_at_its_part_of_the_request(when, holds):
    """Each condition is about one part, and all that are given must hold."""
    assert when.holds(CONVERSATION) is holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(tool="search"), True),
        (When(tool="fetch"), True),
        (When(tool="search", result="tea"), True),
        (When(tool="search", result="milk"), False),
        (When(result="milk"), True),
        (When(tool="plan"), False),
    ],
)
def test_tool_conditions_see_the_results_since_the_model_spoke(when, holds):
    """Parallel results all count, also with a user message after them; older ones do not."""
    request = chat(
        says("user", "Go"),
        calls("plan"),
        result("plan", "the plan"),
        calls("search", "fetch"),
        result("search", "tea"),
        result("fetch", "milk"),
        says("user", "Analyse the results."),
    )
    assert when.holds(request) is holds


def test_the_first_rule_that_holds_answers():
    """Rules are tried in order, whatever comes after."""
    script = RuleScript(
        [
            Rule(When(user="Third"), Reply.text("a")),
            Rule(When(user="Second"), Reply.text("b")),
            Rule(When(), Reply.text("c")),
        ]
    )
    assert script(CONVERSATION) == Reply.text("b")


def test_a_rule_with_a_count_lets_later_rules_decide_when_used_up():
    """``times`` counts the requests that the rule answered, not those it passed over."""
    script = RuleScript(
        [Rule(When(user="Go"), Reply.error(500), times=2), Rule(When(), Reply.text("fine"))]
    )
    go = chat(says("user", "Go"))
    answers = [script(request) for request in (CONVERSATION, go, go, go)]
    assert [answer.failure is not None for answer in answers] == [False, True, True, False]


def test_no_rule_is_an_error_that_shows_request_and_rules():
    """The message has what one needs to write the missing rule."""
    script = RuleScript([Rule(When(user=re.compile("^Hi"), turns=3), Reply.text("x"))])
    with pytest.raises(NoRuleMatched) as caught:
        script(chat(says("user", "Grüße")))
    message = str(caught.value)
    assert '"content": "Grüße"' in message
    assert '1. {"user": {"regex": "^Hi"}, "turns": 3}' in message


def test_rules_survive_the_json_form(tmp_path):
    """Every kind of condition and reply is read back equal from what was written."""
    rules = [
        Rule(When(user="u", system="s", anywhere=re.compile("a+"), model="m", turns=0), Reply()),
        Rule(When(tool="t", result="r"), Reply.tools(("f", {"x": 1}), ("g", "not json"))),
        Rule(When(), Reply.error(429, "slow down", retry_after=1.5), times=2),
        Rule(When(), Reply.text("cut").cut(after=0).delayed(0.5).using(prompt=1, completion=2)),
        Rule(When(), Reply.text("long").finished("length")),
    ]
    path = tmp_path / "script.json"
    path.write_text(dump_rules(rules), encoding="utf-8")
    assert load_rules(path) == rules


def test_a_patterns_flags_survive_the_json_form():
    """Flags given to ``re.compile`` are written into the pattern, once."""
    when = When(user=re.compile("^second", re.IGNORECASE | re.MULTILINE))
    again = When.from_json(when.to_json())
    assert when.to_json() == again.to_json() == {"user": {"regex": "(?im)^second"}}
    assert again.holds(CONVERSATION)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_demo_scripts_survive_the_json_form(tmp_path, name):
    """A built-in script can be handed to a server in another process."""
    path = tmp_path / "script.json"
    path.write_text(dump_rules(SCRIPTS[name]()), encoding="utf-8")
    assert load_rules(path) == SCRIPTS[name]()


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("{", "Expecting property name"),
        ({}, "a list of rules"),
        ([1], "a rule in a script is an object"),
        ([{"when": {}}], "needs a 'reply'"),
        ([{"reply": {"txt": "typo"}}], "no txt"),
        ([{"reply": {"tools": [{"nome": "f"}]}}], "not a reply"),
        ([{"reply": {"error": {"status": 200}}}], "400 to 599"),
        ([{"reply": {"error": {"status": 500, "colour": 1}}}], "not a reply"),
        ([{"reply": {"delay": -1}}], "0 seconds or more"),
        ([{"reply": {"cut_after": -1}}], "0 events or more"),
        ([{"reply": "x", "when": {"usr": "typo"}}], "no usr"),
        ([{"reply": "x", "when": {"user": {"regex": "("}}}], "is no pattern"),
        ([{"reply": "x", "when": {"turns": "two"}}], "turns is int"),
        ([{"reply": "x", "when": {"tool": {"regex": "x"}}}], "tool is str"),
    ],
)
def test_a_malformed_script_is_refused_with_its_place(tmp_path, script, complaint):
    """A typing error in a script is told with the file's name, never ignored."""
    path = tmp_path / "script.json"
    path.write_text(script if isinstance(script, str) else json.dumps(script), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        load_rules(path)
    assert str(path) in str(caught.value)


def test_a_string_is_short_for_a_reply_with_that_text():
    """The JSON form allows ``"reply": "text"``."""
    assert Rule.from_json({"reply": "hello"}) == Rule(When(), Reply.text("hello"))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"stream": True, "stream_options": {"include_usage": True}}, True),
        ({"temperature": 0.5}, True),
        ({"model": "other"}, False),
        ({"messages": [{"role": "user", "content": "Bye"}]}, False),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, False),
        ({"tool_choice": "none"}, False),
        ({"response_format": {"type": "json_object"}}, False),
    ],
)
def test_a_fingerprint_covers_what_decides_the_answer(change, same):
    """How the answer travels does not change the fingerprint; what is asked for does."""
    plain = chat(says("user", "Hi"))
    changed = Request({**plain.body, **change})
    assert (changed.fingerprint == plain.fingerprint) is same


def test_a_fingerprint_does_not_depend_on_the_order_of_keys():
    """Two clients that write the same request differently ask the same thing."""
    one = Request({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
    two = Request({"messages": [{"content": "Hi", "role": "user"}], "model": "m"})
    assert one.fingerprint == two.fingerprint
