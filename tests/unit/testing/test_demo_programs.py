"""The two demo programs, unchanged, against the scripted model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from durably.testing.demos import SCRIPTS
from durably.testing.model_server.server import ModelServer

EXAMPLES = Path(__file__).parents[3] / "examples"
MAIL = (
    "ada@example.com: Dear Ada, your parcel was lost in transit."
    " We refund you in full within 5 days.\n"
)
CREW_OUTPUT = "Order 1042 was lost in transit; Ada Moss was promised a full refund.\n"
TEAM_OUTPUT = """\
user: Order 1042 has not arrived. Find out why and write one mail to the customer.
planner: The worker must look up order 1042 and send the customer one mail.
worker: look_up_order({"number": "1042"})
worker: look_up_order -> Order 1042: two teapots, customer Ada Moss <ada@example.com>, \
lost in transit.
worker: send_mail({"to": "ada@example.com", "body": "Dear Ada, your parcel was lost in transit. \
We refund you in full within 5 days."})
worker: send_mail -> Sent to ada@example.com.
worker: I looked up order 1042 and wrote to Ada Moss.
reviewer: APPROVED: the order was looked up and the customer was told.
stopped: Text 'APPROVED' mentioned
"""
OFFLINE = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
}


def run_demo(name, directory, *arguments):
    """Run a demo to its end; return its output and the server that played the model."""
    with ModelServer(SCRIPTS[name]()) as server:
        done = subprocess.run(
            [sys.executable, EXAMPLES / f"demo_{name}.py", *arguments],
            env={
                **os.environ,
                **OFFLINE,
                "CREWAI_STORAGE_DIR": str(directory / "crewai"),
                "OPENAI_API_KEY": "any",
                "OPENAI_BASE_URL": server.url,
                "OUTBOX": "mails.txt",
            },
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout, server


@pytest.mark.parametrize("arguments", [[], ["--stream"]], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("name", "output", "requests"),
    [
        pytest.param("crew", CREW_OUTPUT, 7, marks=pytest.mark.crewai, id="crew"),
        pytest.param("team", TEAM_OUTPUT, 8, marks=pytest.mark.autogen, id="team"),
    ],
)
def test_a_demo_runs_to_its_end(tmp_path, name, output, requests, arguments):
    """Each demo prints the same, asks each question once and sends one mail."""
    printed, server = run_demo(name, tmp_path, *arguments)
    assert printed == output
    assert (server.count(), len(server.counts)) == (requests, requests)
    assert {request.stream for request in server.requests} == {bool(arguments)}
    assert (tmp_path / "mails.txt").read_text(encoding="utf-8") == MAIL


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_demo_does_not_know_durably(name):
    """The demos show that a program need not be changed."""
    assert "durably" not in (EXAMPLES / f"demo_{name}.py").read_text(encoding="utf-8")
