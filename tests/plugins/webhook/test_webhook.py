"""Questions are posted to another service over real HTTP, and answered with tokens."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

import durably
from durably import Inbox, entrypoint, interrupt
from durably.testing import FakeClock
from durably_webhook import BadSignature, Callback, Webhook, verify

SECRET = "a secret of enough bytes"
CONFIG = {"configurable": {"thread_id": "t"}}
CALL: dict[str, Any] = {
    "kind": "tool_call",
    "name": "refund",
    "args": {"amount": 20},
    "args_schema": {"properties": {"amount": {"type": "integer"}}},
    "allowed": ["approve", "edit", "reject"],
}


class Service:
    """Another service, on this machine: it keeps what is posted to it.

    Attributes:
        got: Bodies and headers.
        statuses: What it answers with, in order; then 200.
    """

    def __init__(self) -> None:
        self.got: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: list[int] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.got.append((body, dict(self.headers)))
                status = service.statuses.pop(0) if service.statuses else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/hook"

    def message(self, position: int = -1) -> Any:
        return json.loads(self.got[position][0])

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def host(tmp_path, service, clock):
    """Return a host whose questions are posted to the service."""
    poster = Webhook(service.url, SECRET, now=clock.now, pause=clock.sleep)
    made = durably.Host(f"sqlite:///{tmp_path}/journal.db", listeners=[poster], clock=clock)
    yield made
    made.close()


@pytest.fixture
def answering(host, clock):
    """Return a function that posts to a callback served over HTTP."""
    server = make_server(
        "127.0.0.1", 0, Callback(Inbox(host), SECRET, now=clock.now), handler_class=Quiet
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()

    def post(said: Any, method: str = "POST") -> tuple[int, Any]:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        url = f"http://127.0.0.1:{server.server_port}/"
        request = urllib.request.Request(url, body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    yield post
    server.shutdown()
    thread.join()
    server.server_close()


def run(host, question=CALL):
    """Run a flow that asks; as a new process would."""

    def flow(_):
        return interrupt(question)

    return entrypoint(checkpointer=host)(flow)


def test_a_question_is_posted_and_answered_with_its_token(host, service, answering):
    """The receiver knows who posted, and the token lets it decide this one question."""
    run(host).invoke(0, CONFIG)
    [(body, headers)] = service.got
    told = verify(SECRET, body, headers, now=host.clock.now())
    assert (told["question"]["name"], told["question"]["args"]) == ("refund", {"amount": 20})
    token = told["callback"]["token"]
    said = {"type": "edit", "args": {"amount": 5}}
    status, reply = answering({"token": token, "answer": said, "by": "ada"})
    assert (status, reply["by"], reply["new"], reply["left"]) == (200, "ada", True, 0)
    assert run(host).invoke(None, CONFIG) == said


def test_a_token_decides_once(host, service, answering):
    """Sent again, the same answer is confirmed; another one is refused, and by whom it was told."""
    run(host).invoke(0, CONFIG)
    token = service.message()["callback"]["token"]
    answering({"token": token, "answer": "approve", "by": "ada"})
    status, reply = answering({"token": token, "answer": "approve", "by": "bob"})
    assert (status, reply["by"], reply["new"]) == (200, "ada", False)
    status, reply = answering({"token": token, "answer": "reject", "by": "bob"})
    assert (status, reply["error"], reply["by"]) == (409, "answered", "ada")
    run(host).invoke(None, CONFIG)
    assert answering({"token": token, "answer": "reject"})[0] == 409


def test_a_token_of_a_run_that_was_given_up_decides_nothing(host, service, answering):
    """A new input on the thread closes the question; the receiver learns which run took over."""
    run(host).invoke(0, CONFIG)
    before = service.message()["callback"]["token"]
    run(host).invoke(1, CONFIG)
    [question] = Inbox(host).pending()
    status, reply = answering({"token": before, "answer": "approve"})
    assert (status, reply["error"]) == (409, "superseded")
    assert question.run in reply["message"]
    assert (
        answering({"token": service.message()["callback"]["token"], "answer": "approve"})[0] == 200
    )


def test_forged_changed_and_old_tokens_open_nothing(host, service, answering, clock):
    """Nobody answers without a token that was given out for this question."""
    run(host).invoke(0, CONFIG)
    token = service.message()["callback"]["token"]
    claims, _, signature = token.partition(".")
    foreign = Webhook(service.url, "another secret, as long", now=clock.now)
    foreign.post(Inbox(host).pending()[0])
    for bad in (
        "",
        "x",
        claims,
        f"{claims}.",
        f"{claims}A.{signature}",
        f"{claims}.{'0' * 64}",
        "é.é",
        service.message()["callback"]["token"],
    ):
        assert answering({"token": bad, "answer": "approve"})[0] == 401
    assert answering({"answer": "approve"})[0] == 401
    clock.advance(8 * 86400)
    assert answering({"token": token, "answer": "approve"})[0] == 401
    assert len(Inbox(host).pending()) == 1


def test_unclear_and_wrong_answers_are_refused(host, service, answering):
    """The receiver is told what is wrong, and the question stays open."""
    run(host).invoke(0, CONFIG)
    token = service.message()["callback"]["token"]
    for answer, error in (
        (True, "unclear"),
        ("yes", "unclear"),
        ({}, "unclear"),
        ({"type": "edit", "args": {"amount": "five"}}, "invalid"),
        ({"type": "respond", "message": "x"}, "invalid"),
    ):
        status, reply = answering({"token": token, "answer": answer})
        assert (status, reply["error"]) == (422, error)
    assert answering({"token": token})[0] == 422
    assert answering(b"{")[0] == 400
    assert answering(b"[]")[0] == 401
    assert answering({}, method="PUT")[0] == 405
    assert answering(b"x" * (256 * 1024 + 1))[0] == 413
    assert len(Inbox(host).pending()) == 1


def test_a_token_is_for_what_was_seen(host, service, answering):
    """A question that comes again in other words needs the token of these words."""
    run(host, {**CALL, "message": "Refund on Monday?"}).invoke(0, CONFIG)
    before = service.message()["callback"]["token"]
    run(host, {**CALL, "message": "Refund on Friday?"}).invoke(None, CONFIG)
    now = service.message()["callback"]["token"]
    status, reply = answering({"token": before, "answer": "approve"})
    assert (status, reply["error"]) == (409, "stale")
    assert answering({"token": now, "answer": "approve"})[0] == 200


def test_a_token_is_good_until_the_question_expires(host, service, answering, clock):
    """After the deadline the default stands, whatever the token says."""
    limited = {**CALL, "deadline": 60, "default": {"type": "reject"}}
    run(host, limited).invoke(0, CONFIG)
    callback = service.message()["callback"]
    assert callback["expires_at"] == clock.now() + 60
    clock.advance(60)
    assert answering({"token": callback["token"], "answer": "approve"})[0] == 401
    assert run(host, limited).invoke(None, CONFIG) == {"type": "reject"}


@pytest.mark.parametrize(
    ("statuses", "posts"),
    [([503, 200], 2), ([500] * 9, 3), ([400], 1), ([302], 1), ([429, 429, 200], 3)],
)
def test_a_service_in_trouble_holds_no_run_up(host, service, statuses, posts, caplog):
    """Some failures are tried again, briefly; the question waits in the inbox in any case."""
    service.statuses = list(statuses)
    assert run(host).invoke(0, CONFIG)["__interrupt__"]
    assert len(service.got) == posts
    assert len(Inbox(host).pending()) == 1
    assert ("could not be posted" in caplog.text) is (statuses[-1] != 200)
    assert SECRET not in caplog.text


def test_a_service_that_is_away_holds_no_run_up(host, service, caplog):
    """Nobody listens at the port: the run waits as it would have."""
    service.close()
    assert run(host).invoke(0, CONFIG)["__interrupt__"]
    assert "could not be posted" in caplog.text
    service.__init__()


def test_a_secret_question_has_no_token(host, service):
    """What may not be kept cannot be answered over HTTP."""
    run(host, {"kind": "input_required", "message": "Password", "secret": True}).invoke(0, CONFIG)
    assert service.message()["callback"]["token"] is None


def test_a_receiver_is_not_fooled(host, service, clock):
    """Another secret, a changed body, a changed time or an old message do not verify."""
    run(host).invoke(0, CONFIG)
    body, headers = service.got[0]
    now = clock.now()
    assert verify(SECRET, body, {k.upper(): v for k, v in headers.items()}, now=now)
    stamped = {**headers, "Durably-Timestamp": str(int(now) + 1)}
    for secret, text, given, at in (
        ("another secret, as long", body, headers, now),
        (SECRET, body + b" ", headers, now),
        (SECRET, body, stamped, now),
        (SECRET, body, {}, now),
        (SECRET, body, headers, now + 301),
        (SECRET, body, headers, now - 301),
    ):
        with pytest.raises(BadSignature):
            verify(secret, text, given, now=at)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://example.com/hook", SECRET),
        ("ftp://127.0.0.1/hook", SECRET),
        ("file:///etc/passwd", SECRET),
        ("https://", SECRET),
        ("https://example.com/hook", "short"),
        ("https://example.com/hook", ""),
    ],
)
def test_unsafe_settings_are_refused(url, secret):
    """Arguments of calls do not travel in the clear, nor under a secret that can be guessed."""
    with pytest.raises(ValueError, match="webhook"):
        Webhook(url, secret)


def test_the_environment_switches_it_on(monkeypatch, service, tmp_path):
    """As an installed plug-in it does nothing until it is told where to post."""
    import durably_webhook
    from durably.hooks import Plugins

    assert Plugins([durably_webhook], discover=False).listeners() == []
    monkeypatch.setenv("DURABLY_WEBHOOK_URL", service.url)
    monkeypatch.setenv("DURABLY_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("DURABLY_WEBHOOK_CALLBACK", "https://answers.example/")
    host = durably.Host(
        f"sqlite:///{tmp_path}/j.db", plugins=Plugins([durably_webhook], discover=False)
    )
    run(host).invoke(0, CONFIG)
    host.close()
    assert service.message()["callback"]["url"] == "https://answers.example/"


def test_what_waits_is_posted_once_more(monkeypatch, service, host, tmp_path):
    """``durably webhook send`` is for a service that was away."""
    from click.testing import CliRunner

    from durably_webhook._command import webhook

    run(host).invoke(0, CONFIG)
    monkeypatch.setenv("DURABLY_WEBHOOK_URL", service.url)
    monkeypatch.setenv("DURABLY_WEBHOOK_SECRET", SECRET)
    store = f"sqlite:///{tmp_path}/journal.db"
    done = CliRunner().invoke(webhook, ["send", "--store", store], standalone_mode=False)
    assert "1 of 1 open questions posted" in done.output
    assert len(service.got) == 2
    assert service.message(0)["question"]["id"] == service.message(1)["question"]["id"]
