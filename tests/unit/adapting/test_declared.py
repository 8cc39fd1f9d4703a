"""What adapters say of themselves and their steps."""

from __future__ import annotations

from durably.adapting import call_label, supported_versions


def test_labels_are_short():
    """A tool call is told in at most 80 characters, its texts on one line."""
    text = call_label("send", {"to": "ada", "body": "Dear\nAda, " * 9, "n": 3})
    assert text == 'send(to="ada", body="Dear Ada, Dear Ada, Dea…", n=3)'
    assert len(call_label("send", {str(n): "x" * 20 for n in range(9)})) == 80


def test_the_tested_range_is_the_extra_s():
    """The range comes from the distribution that declares it, whatever it would fall back on."""
    assert supported_versions("crewai", "none") == "<2,>=1.12"
    assert supported_versions("AutoGen_AgentChat", "none") == "<0.8,>=0.6"


def test_the_fallback_serves_what_nobody_declares():
    """A framework or distribution that is not there leaves the adapter's own range."""
    assert supported_versions("nosuchframework", ">=1") == ">=1"
    assert supported_versions("crewai", ">=1", declared_by="no-such-distribution") == ">=1"
