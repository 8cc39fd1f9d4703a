"""What stands between a client and PostgreSQL: a line that drops, and a pooler of transactions.

The messages are those of the manual's chapter "Frontend/Backend Protocol".
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict

_PROTOCOL = 196608


class _Gate:
    """Listens on loopback and serves each connection in a thread of its own.

    Attributes:
        url: What a client connects to in place of the server.
    """

    def __init__(self, url: str) -> None:
        plain, _, schema = url.partition("schema=")
        wanted = conninfo_to_dict(plain.rstrip("?&"))
        self._user = str(wanted.get("user") or "postgres")
        self._database = str(wanted.get("dbname") or self._user)
        self._host = str(wanted.get("host") or "127.0.0.1")
        self._port = int(wanted.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        query = {"sslmode": "disable", "gssencmode": "disable"} | (
            {"schema": schema} if schema else {}
        )
        place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"postgresql://{self._user}@{place}/{self._database}?{urlencode(query)}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._tend, args=(client,), daemon=True).start()

    def _tend(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), client:
            self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError

    def _server(self) -> socket.socket:
        if self._host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(Path(self._host) / f".s.PGSQL.{self._port}"))
            return server
        return socket.create_connection((self._host, self._port))


class Line(_Gate):
    """A line to the server that a test can cut at the worst moments."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._losing: list[str] = []
        self.lost = 0

    def lose(self, what: str, *, after: int = 0) -> None:
        """Cut the line at the next round trip but *after*.

        Its ``request`` never arrives; its ``reply`` gets lost; or one hangs up before there is a
        reply (``wait``).
        """
        self._losing = [""] * after + [what]

    def _serve(self, client: socket.socket) -> None:
        with self._server() as server:
            server.sendall(_startup(client))
            _relay_reply(server, client)
            while True:
                request = _request(client)
                losing = self._losing.pop(0) if self._losing else ""
                if losing == "request":
                    break
                server.sendall(request)
                if losing == "reply":
                    _reply(server)  # it is done, and nobody learns of it
                if losing:
                    break
                _relay_reply(server, client)
            self.lost += 1


class Pooler(_Gate):
    """Gives each transaction the next of a few sessions, as PgBouncer's transaction pooling may."""

    def __init__(self, url: str, sessions: int = 3) -> None:
        super().__init__(url)
        self._sessions = [self._session() for _ in range(sessions)]
        self._locks = [threading.Lock() for _ in range(sessions)]
        self._turn = itertools.count()

    def close(self) -> None:
        super().close()
        for session in self._sessions:
            session.close()

    def _session(self) -> socket.socket:
        session = self._server()
        options = f"user\0{self._user}\0database\0{self._database}\0client_encoding\0UTF8\0\0"
        body = struct.pack(">i", _PROTOCOL) + options.encode()
        session.sendall(struct.pack(">i", len(body) + 4) + body)
        self._greeting = _reply(session)
        return session

    def _serve(self, client: socket.socket) -> None:
        _startup(client)
        client.sendall(self._greeting)
        while True:
            request = _request(client)
            number = next(self._turn) % len(self._sessions)
            with self._locks[number]:
                session = self._sessions[number]
                session.sendall(request)
                while _relay_reply(session, client) != b"I":  # inside a transaction
                    session.sendall(_request(client))


def _startup(client: socket.socket) -> bytes:
    head = _exactly(client, 4)
    return head + _exactly(client, struct.unpack(">i", head)[0] - 4)


def _request(client: socket.socket) -> bytes:
    """Read what a client sends until it waits for an answer."""
    sent = b""
    while True:
        kind, message = _message(client)
        sent += message
        if kind in b"QS":
            return sent
        if kind == b"X":
            raise EOFError


def _reply(server: socket.socket) -> bytes:
    """Read what a server sends until it is ready for the next request."""
    return b"".join(_messages(server))


def _relay_reply(server: socket.socket, client: socket.socket) -> bytes:
    """Pass a reply on; return whether the session is idle, in a transaction, or in a failed one."""
    last = b""
    for last in _messages(server):
        client.sendall(last)
    return last[-1:]


def _messages(server: socket.socket) -> Iterator[bytes]:
    kind = b""
    while kind != b"Z":
        kind, message = _message(server)
        yield message


def _message(end: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(end, 5)
    return head[:1], head + _exactly(end, struct.unpack(">i", head[1:])[0] - 4)


def _exactly(end: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = end.recv(min(count - len(data), 1 << 20))
        if not more:
            raise EOFError
        data += more
    return data
