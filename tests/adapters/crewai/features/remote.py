"""Agents elsewhere, asked over A2A: a crew's agent hands its work on and reads the answers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, task, told
from ..ways import Effect, Feature

CARD = {
    "name": "Taster",
    "description": "Knows teas.",
    "version": "1",
    "protocolVersion": "0.3.0",
    "capabilities": {"streaming": False},
    "defaultInputModes": ["text"],
    "defaultOutputModes": ["text"],
    "preferredTransport": "JSONRPC",
    "skills": [{"id": "tea", "name": "tea", "description": "Tea.", "tags": ["tea"]}],
}
ANSWERS = {
    "Which tea?": ("input-required", "Green or black?"),
    "Green.": ("completed", "Sencha."),
}
_ports = [0]
"""Where the agent is found: in each process the same place, because prompts name it."""


@contextmanager
def taster(effect: Effect) -> Generator[str]:
    """Serve an agent that answers as ``ANSWERS`` says; each message to it is an effect."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({**CARD, "url": address})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = asked["params"]["message"]["parts"][0]["text"]
            self._send({"jsonrpc": "2.0", "id": asked["id"], "result": _task(effect(text))})

        def _send(self, answer: object) -> None:
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", _ports[0]), Handler) as server:
        _ports[0] = server.server_port
        address = f"http://127.0.0.1:{_ports[0]}/"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"{address}.well-known/agent-card.json"
        finally:
            server.shutdown()


def _task(text: str) -> object:
    state, said = ANSWERS[text]
    message = {
        "kind": "message",
        "role": "agent",
        "messageId": f"m {text}",
        "contextId": "c1",
        "taskId": f"t {text}",
        "parts": [{"kind": "text", "text": said}],
    }
    status = {"state": state, "message": message}
    return {"kind": "task", "id": f"t {text}", "contextId": "c1", "status": status}


def _crew(card: str):
    from crewai.a2a import A2AClientConfig

    worker = agent(a2a=A2AClientConfig(endpoint=card, max_turns=5))
    return crew(task("Ask which tea to buy.", worker))


def agent_elsewhere(effect):
    with taster(effect) as card:
        return told(_crew(card).kickoff())[::2]


def agent_elsewhere_awaited(effect):
    with taster(effect) as card:
        return told(asyncio.run(_crew(card).akickoff()))[::2]


def _asks(message: str, *, is_a2a: bool = True):
    """Return the answer of an agent that may ask others; CrewAI accepts no name as well."""
    return Reply.text(json.dumps({"a2a_ids": [], "message": message, "is_a2a": is_a2a}))


TEA = [
    Rule(When(anywhere="Sencha."), _asks("Buy Sencha.", is_a2a=False)),
    Rule(When(anywhere="Green or black?"), _asks("Green.")),
    Rule(When(), _asks("Which tea?")),
]

FEATURES = [
    Feature(agent_elsewhere, TEA, needs="a2a"),
    Feature(agent_elsewhere_awaited, TEA, needs="a2a"),
]
