"""Takes answers over HTTP: a token says to which question, the journal says whether it is open."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from durably import AnswerRefused, Inbox, ThreadBusy

from ._signatures import BadSignature, checked_secret, claims_of, digest

Reply: TypeAlias = tuple[int, dict[str, Any]]
"""A status code, and the JSON of the body."""

MOST_BYTES = 256 * 1024
"""How long a request's body may be."""

_STATUS = {
    "unclear": 422,
    "invalid": 422,
    "answered": 409,
    "stale": 409,
    "over": 409,
    "superseded": 409,
    "expired": 410,
    "unknown": 404,
}
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    413: "Content Too Large",
    422: "Unprocessable Content",
    503: "Service Unavailable",
}


class Callback:
    """Answers the questions that tokens were given out for; a WSGI application, too.

    A request is ``{"token": …, "answer": …, "by": …}``, the answer in any client's words. A token
    decides once: after an answer is recorded, the same one is confirmed and another is refused.
    There is no link to click: what looks at links before people do must not decide for them.

    Args:
        inbox: Where the questions are.
        secret: The webhook's.
        now: Gives seconds since the epoch.

    Example:
        >>> from wsgiref.simple_server import make_server  # doctest: +SKIP
        >>> make_server("", 8080, Callback(inbox, secret)).serve_forever()  # doctest: +SKIP
    """

    def __init__(
        self, inbox: Inbox, secret: str | bytes, *, now: Callable[[], float] = time.time
    ) -> None:
        self._inbox = inbox
        self._secret = checked_secret(secret)
        self._now = now

    def handle(self, body: bytes) -> Reply:
        """Return the reply to a request's body, for whichever server there is."""
        try:
            return self._answered(json.loads(body))
        except BadSignature as error:
            return _refused(401, "token", str(error))
        except AnswerRefused as error:
            more = {"by": error.by or None, "at": error.at}
            return _refused(_STATUS[error.reason], error.reason, str(error), **more)
        except ThreadBusy as error:
            return _refused(503, "busy", str(error))
        except ValueError:
            return _refused(400, "unreadable", "the body is not JSON")

    def _answered(self, said: Any) -> Reply:
        if not isinstance(said, Mapping) or not isinstance(said.get("token"), str):
            raise BadSignature("there is no token")
        claims = claims_of(self._secret, said["token"], self._now())
        if "answer" not in said:
            raise AnswerRefused("there is no answer", "unclear")
        question = self._inbox.find(str(claims["id"]))
        if digest(question) != claims["seen"]:
            raise AnswerRefused(f"question {question.id} is asked in other words now", "stale")
        receipt = self._inbox.answer(
            question.id,
            said["answer"],
            by=str(said.get("by") or "webhook"),
            version=question.version,
        )
        return 200, {
            "v": 1,
            "id": question.id,
            "run": question.run,
            "answer": receipt.answer,
            "by": receipt.by,
            "at": receipt.at,
            "new": receipt.is_new,
            "left": receipt.left,
        }

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Serve one request."""
        status, told = self._served(environ)
        body = json.dumps(told, default=str).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{status} {_REASONS[status]}", headers)
        return [body]

    def _served(self, environ: Mapping[str, Any]) -> Reply:
        if environ.get("REQUEST_METHOD") != "POST":
            return _refused(405, "method", "answers are posted")
        length = str(environ.get("CONTENT_LENGTH") or "")
        if not length.isdigit():
            return _refused(411, "length", "the request does not say how long it is")
        if int(length) > MOST_BYTES:
            return _refused(413, "length", f"an answer has at most {MOST_BYTES} bytes")
        return self.handle(environ["wsgi.input"].read(int(length)))


def _refused(status: int, reason: str, message: str, **more: Any) -> Reply:
    return status, {"v": 1, "error": reason, "message": message, **more}
