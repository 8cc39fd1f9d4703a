"""Files with policies: found, read, and refused by the line where they say what cannot be."""

from __future__ import annotations

import pytest

from durably import (
    ApprovalPolicy,
    Budget,
    CachePolicy,
    ConfigError,
    Host,
    Match,
    ParkPolicy,
    RatePolicy,
    RetryPolicy,
    StepPolicy,
    TimeoutPolicy,
    hookimpl,
)
from durably.policies import Config, config_for, read
from durably.policies.config import find
from durably.policies.fields import NamedErrors

FULL = r"""
cache = "memory:"

[replay]
items = ["send", "file_*"]
volatile = ['took \d+ ms', "v[0-9]+"]

[budget]
run = ["2 USD", "200k tokens"]
thread = "$10"

[prices]
house-model = { input = 0.5, output = 1.5 }

[[policy]]
kind = "model"
name = ["gpt-*", "o1"]
adapter = "crewai"
agent = "Writer"
retry.attempts = 5
retry.first = "1s"
retry.backoff = 3
retry.longest = "1m"
retry.jitter = false
retry.on = ["RateLimitError", 503]
timeout = "2m"
cache = { ttl = "24h", scope = "thread" }
rate = "60rpm,90ktpm"
concurrency = 4
fallback = ["gpt-4o-mini", "anthropic/claude-haiku"]
on_exhausted = { first = "1m", longest = "2h", give_up_after = "1d" }

[[policy]]
kind = "tool"
effect = "once"
on_unfinished = "fail"
on_change = "rerun"
approve.deadline = "1h"
approve.default = "reject"
approve.allowed = ["approve", "reject"]
approve.message = "Sure?"
timeout = { run = "5m", idle = 30 }
"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_every_field_can_be_said(tmp_path):
    """What stands in the file is what is put around steps."""
    config = read(write(tmp_path / "durably.toml", FULL))
    assert config.budgets == [
        Budget(usd=2.0),
        Budget(tokens=200_000),
        Budget(usd=10.0, scope="thread"),
    ]
    assert config.prices["house-model"].cost({"input_tokens": 2e6, "output_tokens": 1e6}) == 2.5
    assert config.cache == "memory:"
    assert config.replay.items == ("send", "file_*")
    assert [one.pattern for one in config.replay.volatile] == [r"took \d+ ms", "v[0-9]+"]
    models, tools = config.rules
    assert models.match == Match(
        kind="model", name=("gpt-*", "o1"), adapter="crewai", agent="Writer"
    )
    assert models.policy == StepPolicy(
        retry=RetryPolicy(
            max_attempts=5,
            initial_interval=1,
            backoff_factor=3,
            max_interval=60,
            jitter=False,
            retry_on=NamedErrors(("RateLimitError", 503)),
        ),
        timeout=TimeoutPolicy(run_timeout=120),
        cache=CachePolicy(ttl=86_400, scope="thread"),
        rate=RatePolicy(requests=60, tokens=90_000),
        concurrency=4,
        fallback=("gpt-4o-mini", "anthropic/claude-haiku"),
        on_exhausted=ParkPolicy(first=60, longest=7200, give_up_after=86_400),
    )
    assert tools.policy == StepPolicy(
        effect="once",
        on_unfinished="fail",
        on_change="rerun",
        approve=ApprovalPolicy(
            deadline=3600, default="reject", allowed=("approve", "reject"), message="Sure?"
        ),
        timeout=TimeoutPolicy(run_timeout=300, idle_timeout=30),
    )
    assert tools.origin == "durably.toml, line 33"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[[policy]]\nkind = 'model'\nretries = 3\n", 3, "did you mean 'retry'?"),
        ("[replay]\nitem = ['send']\n", 2, "did you mean 'items'?"),
        ("[replay]\nitems = 'send'\n", 2, "a list of the names of effects"),
        ("[replay]\nitems = ['']\n", 2, "a list of the names of effects"),
        ("[replay]\nvolatile = 'x'\n", 2, "a list of regular expressions"),
        ("[replay]\n\nvolatile = ['took (']\n", 3, "'took (' is no regular expression"),
        ("[replay]\nvolatile = ['.*']\n", 2, "fits the empty text"),
        ("[replay]\nvolatile = ['.+']\n", 2, "fits any text"),
        ("[replay]\nvolatile = ['.']\n", 2, "fits any text"),
        ("replay = 'auto'\n", 1, "replay is a table"),
        ("[[policy]]\nretry = 0\n", 2, "retry: write a whole number from 1 on, not 0"),
        ("[[policy]]\nretry = {atempts = 3}", 2, "did you mean 'attempts'?"),
        ("[[policy]]\nretry = true", 2, "retry"),
        ("[[policy]]\ntimeout = 'soon'", 2, 'write "30s", "5m"'),
        ("[[policy]]\ntimeout = -1", 2, "more than 0"),
        ("[[policy]]\ntimeout = {}", 2, "say how long"),
        ("[[policy]]\neffect = 'twice'", 2, "none of 'once'"),
        ("[[policy]]\non_unfinished = 'ignore'", 2, "'rerun', 'ask', 'fail'"),
        ("[[policy]]\non_change = 'rerurn'", 2, "did you mean 'rerun'?"),
        ("[[policy]]\ncache = {scop = 'run'}", 2, "did you mean 'scope'?"),
        ("[[policy]]\nrate = '60'", 2, 'write "60rpm"'),
        ("[[policy]]\nrate = '60rpm,5tps'", 2, "same time"),
        ("[[policy]]\nrate = {per = '1m'}", 2, "limits nothing"),
        ("[[policy]]\nrate = 60", 2, "is no rate"),
        ("[[policy]]\nconcurrency = 'many'", 2, "whole number"),
        ("[[policy]]\nfallback = []", 2, "a text or a list of texts"),
        ("[[policy]]\non_exhausted = 'wait'", 2, "'fail', 'park'"),
        ("[[policy]]\non_exhausted = {first = '2h', longest = '1h'}", 2, "cannot be parked"),
        ("[[policy]]\napprove = 'yes'", 2, "true or false"),
        ("[[policy]]\napprove = {default = 'edit'}", 2, "'approve', 'reject'"),
        ("[[policy]]\nkind = 'modle'\nretry = 2", 2, "did you mean 'model'?"),
        ("[[policy]]\nname = 7\nretry = 2", 2, "a text or a list of texts"),
        ("[[policy]]\nkind = 'tool'\n", 1, "says nothing"),
        ("\n[policy]\nretry = 2", 2, "under [[policy]]"),
        ("[budget]\nrun = '2'", 2, 'write "2USD"'),
        ("[budget]\n\nrun = ['2USD', '-1 USD']", 3, "is no amount"),
        ("[budget]\nruns = '2USD'", 2, "did you mean 'run'?"),
        ("[prices]\nm = 3", 2, "in USD for a million tokens"),
        ("[prices]\nm = {input = -1, output = 2}", 2, "is no price"),
        ("polcy = 1", 1, "did you mean 'policy'?"),
        ("x = [\n", 1, "no TOML"),
        ("cache = 5", 1, "URL of a cache"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path, text, line, said):
    """The message names the file, the line, and what was probably meant."""
    path = write(tmp_path / "durably.toml", text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert said in str(caught.value)
    assert (caught.value.file, caught.value.line) == (str(path), line)


def test_lines_are_found_in_a_crowded_file(tmp_path):
    """Comments, long texts, arrays over lines and dotted keys do not lead astray."""
    text = '''# retry = "in a comment"
[project]
description = """
[[tool.durably.policy]]
retry = "in a text"
"""
dependencies = [
  "a",  # [tool.durably]
  "b",
]

[tool.durably.budget]
run = "2USD"

[[tool.durably.policy]]
kind = "model"
retry = 3

[[tool.durably.policy]]
name = "pay"
rate.requests = 5
rate.pr = "1m"
'''
    path = write(tmp_path / "pyproject.toml", text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert caught.value.line == 21
    assert "did you mean 'per'?" in str(caught.value)
    fixed = read(write(path, text.replace("rate.pr =", "rate.per =")))
    assert [one.origin for one in fixed.rules] == [
        "pyproject.toml, line 15",
        "pyproject.toml, line 19",
    ]


def test_the_nearest_file_is_the_one(tmp_path):
    """Looked for upward; a pyproject.toml without our table is passed by."""
    inner = tmp_path / "src" / "deep"
    inner.mkdir(parents=True)
    write(tmp_path / "durably.toml", "[budget]\nrun='1USD'")
    write(tmp_path / "src" / "pyproject.toml", "[tool.other]\nx = 'durably'")
    assert find(inner) == tmp_path / "durably.toml"
    shared = write(tmp_path / "src" / "pyproject.toml", "[tool.durably.budget]\nrun='3USD'")
    assert find(inner) == shared
    assert config_for(inner / "crew.py").budgets == [Budget(usd=3.0)]


def test_two_files_side_by_side_are_refused(tmp_path):
    """One of them would be passed over in silence."""
    write(tmp_path / "durably.toml", "")
    write(tmp_path / "pyproject.toml", "[tool.durably]\n")
    with pytest.raises(ConfigError, match="keep one"):
        find(tmp_path)


def test_a_broken_pyproject_is_ours_only_if_it_names_us(tmp_path):
    """Somebody else's syntax error is not told of by us."""
    path = write(tmp_path / "pyproject.toml", "[tool.other\n# durably")
    assert find(tmp_path) != path
    write(path, "[tool.durably]\nx = [\n")
    assert find(tmp_path) == path
    with pytest.raises(ConfigError, match="no TOML"):
        read(path)
    path.write_bytes(b"[tool.durably]\nx = '\xff'")
    with pytest.raises(ConfigError, match="cannot be read"):
        read(path)


def test_a_file_goes_over_code_and_options_over_the_file(tmp_path):
    """What is nearest to the user's hand wins, field by field."""
    path = write(tmp_path / "durably.toml", "[[policy]]\nkind='tool'\nconcurrency=2\nretry=2\n")
    code = {"tool": StepPolicy(concurrency=9, effect="once")}
    host = Host("memory:", policies=code, config=path)
    step = Match.of("tool")
    assert step
    from durably.policies import StepKind

    found = host.policies.resolved(StepKind("", "tool", "t", "")).policy
    assert (found.concurrency, found.effect) == (2, "once")
    assert found.retry == RetryPolicy(max_attempts=2)
    host.close()


def test_a_budget_in_dollars_needs_prices():
    """One that could not hold is refused when the host starts."""

    class Prices:
        @hookimpl
        def price(self, model, usage):
            return None

    from durably.hooks import Plugins

    bare = Plugins(discover=False)
    with pytest.raises(ConfigError, match=r"Install durably\[cost\]"):
        Host("memory:", plugins=bare, budgets=[Budget(usd=1)], config=False)
    Host("memory:", plugins=bare, budgets=[Budget(tokens=1)], config=False).close()
    Host("memory:", plugins=[Prices()], budgets=[Budget(usd=1)], config=False).close()


def test_options_replace_budgets_of_their_scope():
    """``--budget 5USD`` is instead of the file's budget for runs, not besides."""
    config = Config(budgets=[Budget(usd=1), Budget(usd=9, scope="thread")])
    assert config.under([], [Budget(usd=5)]).budgets == [
        Budget(usd=9, scope="thread"),
        Budget(usd=5),
    ]
