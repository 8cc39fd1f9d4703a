"""Credentials that a model object carries are not recorded with its calls."""

from __future__ import annotations

from crewai import LLM

import durably
from durably.testing import Reply, Rule, When


def test_headers_with_credentials_are_masked(tmp_path, serve):
    """They do not reach the journal, and another key makes no other request."""
    server = serve([Rule(When(), Reply.text("Paris"))])
    host = durably.Host(f"sqlite:///{tmp_path / 'runs.db'}")
    keys = ["one-5131", "two-7177"]

    @durably.entrypoint(checkpointer=host)
    def ask(_):
        headers = {"Authorization": f"Bearer {keys[0]}", "X-My-Key": keys[0], "X-Beta": "yes"}
        model = LLM(
            model="openai/gpt-4o-mini", base_url=server.url, api_key=keys[0], extra_headers=headers
        )
        answer = model.call("The capital of France?")
        durably.interrupt("go on?")
        return answer

    config = {"configurable": {"thread_id": "t"}}
    ask.invoke(1, config)
    keys.reverse()
    result = ask.invoke(durably.Command(resume=1), config)
    host.close()

    stored = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert result == "Paris"
    assert len(server.requests) == 1
    assert b"The capital of France" in stored
    assert b"5131" not in stored
    assert b"7177" not in stored
