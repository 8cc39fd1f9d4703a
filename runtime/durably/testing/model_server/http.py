"""The HTTP side of the model server: connections, routes, server-sent events."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from .dialects import Dialect, Event, dialect_at
from .model import ScriptedModel, recorded
from .reply import Failure, Reply
from .request import Request
from .wire import openai_chat as _wire
from .wire.token_counts import ENDPOINTS

_LISTED_MODEL = "gpt-4o-mini"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class ChatHTTPServer(ThreadingHTTPServer):
    """A loopback HTTP server, one thread a connection, that can hang up on its clients."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, port: int, model: ScriptedModel) -> None:
        self._open: set[Any] = set()
        self._changed = threading.Condition()

        def handle(request: Any, address: Any, server: socketserver.BaseServer) -> _Handler:
            return _Handler(model, request, address, server)

        super().__init__(("127.0.0.1", port), handle)

    def server_bind(self) -> None:
        """Bind without the name look-up of `HTTPServer`, which may wait for a DNS server."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, then serve it in a thread."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self, timeout: float = 5.0) -> None:
        """Close all connections and wait until their threads have let go of them.

        Args:
            timeout: Seconds to wait at most.
        """
        with self._changed:
            for connection in self._open:
                _shut(connection)
            self._changed.wait_for(lambda: not self._open, timeout)


class _Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    # A stream's events are small writes; Nagle's algorithm would hold them back for 40 ms each.
    disable_nagle_algorithm = True

    def __init__(
        self, model: ScriptedModel, request: Any, address: Any, server: socketserver.BaseServer
    ) -> None:
        self._model = model
        super().__init__(request, address, server)

    def handle(self) -> None:
        """Serve requests until either side closes; a client that leaves is no error."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Write nothing: the requests are recorded, and stderr is the program's."""

    def do_GET(self) -> None:
        """Serve the list of models and the recorded requests."""
        match self.path.partition("?")[0]:
            case "/v1/models":
                self._send(200, _wire.models(_LISTED_MODEL))
            case "/_requests":
                self._send(200, [recorded(request) for request in self._model.requests])
            case _:
                self._send_failure(_unknown(self), _wire.error)

    def do_POST(self) -> None:
        """Serve what a script answers, and what needs none."""
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(self.path.partition("?")[0])
        self._model.called(path)
        found = dialect_at(path)
        plain = next((make for at, make in ENDPOINTS.items() if at.fullmatch(path)), None)
        if found is None and plain is None:
            self._send_failure(_unknown(self), _wire.error)
            return
        try:
            body = json.loads(text)
            if plain is not None:
                self._send(200, plain(body))
                return
            assert found is not None
            dialect, match = found
            request = dialect.request(match, body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            error_of = found[0].error if found else _wire.error
            self._send_failure(Failure(400, f"{error}"), error_of)
            return
        self._answer(dialect, request, self._model.receive(request))

    def _answer(self, dialect: Dialect, request: Request, reply: Reply) -> None:
        if not self._model.pause(reply.delay) or reply.cut_after == 0:
            self._hang_up()
        elif reply.failure is not None:
            self._send_failure(reply.failure, dialect.error)
        elif request.stream:
            self._stream(dialect, dialect.events(request, reply), reply.cut_after)
        else:
            self._send(200, dialect.answer(request, reply), cut=reply.cut_after is not None)

    def _send(
        self,
        status: int,
        value: object,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        cut: bool = False,
    ) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._hang_up()

    def _send_failure(self, failure: Failure, body: Callable[[Failure], object]) -> None:
        headers: dict[str, str] = {}
        if failure.retry_after is not None:
            headers["Retry-After"] = f"{failure.retry_after:g}"
        if not failure.retryable:
            headers["x-should-retry"] = "false"
        self._send(failure.status, body(failure), headers=headers)

    def _stream(self, dialect: Dialect, events: Iterator[Event], cut_after: int | None) -> None:
        kind = "application/x-ndjson" if dialect.in_lines else "text/event-stream"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for sent, (name, data) in enumerate(events):
            if sent == cut_after:
                self._hang_up()
                return
            text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
            head = f"event: {name}\n" if name else ""
            event = f"{text}\n" if dialect.in_lines else f"{head}data: {text}\n\n"
            self._write_chunk(event.encode())
        self._write_chunk(b"")

    def _write_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _hang_up(self) -> None:
        self.close_connection = True
        _shut(self.connection)


def _unknown(handler: BaseHTTPRequestHandler) -> Failure:
    return Failure(404, f"this model server has no {handler.command} {handler.path}")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was faster.
        return
