"""Tells another service of each question: a signed POST with a token to answer it."""

from __future__ import annotations

import ipaddress
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from durably import Interrupt, Listener, RunInfo
from durably.people import Question, answer_schema, described, question_of

from ._signatures import checked_secret, signed_headers, token_for

_log = logging.getLogger("durably.webhook")

_ATTEMPTS = 3
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Webhook(Listener):
    """Posts each question that a run comes to and that nobody has answered.

    The same question is posted again by each process that comes to it: receivers go by its id. A
    service that cannot be reached is logged and holds nobody up for long; the question stays in
    the inbox whatever becomes of the post.

    Args:
        url: Where to: HTTPS, or HTTP on this machine.
        secret: Signs what is posted, and the tokens; at least 16 bytes.
        callback: Where answers are taken (:class:`Callback`), if the receiver is to be told.
        lifetime: Seconds for which a token is good, unless the question expires before.
        timeout: Seconds that one attempt may take.
        now: Gives seconds since the epoch.
        pause: Waits between attempts.

    Raises:
        ValueError: The URL is not safe to send to, or the secret is too short.
    """

    def __init__(
        self,
        url: str,
        secret: str | bytes,
        *,
        callback: str = "",
        lifetime: float = 7 * 86400.0,
        timeout: float = 5.0,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = _safe(url)
        self._secret = checked_secret(secret)
        self._callback = callback
        self._lifetime = lifetime
        self._timeout = timeout
        self._now = now
        self._pause = pause
        self._opener = urllib.request.build_opener(_NoRedirects)

    def interrupted(self, run: RunInfo, interrupt: Interrupt) -> None:
        """Post a question."""
        question = question_of(interrupt, run=run.run, thread=run.thread, entry=run.entry)
        self.post(question)

    def post(self, question: Question) -> bool:
        """Post one question; say whether the receiver took it."""
        body = json.dumps(self._message(question), default=str).encode()
        failure: str | None = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(0.2 * 2**attempt)
            headers = {"Content-Type": "application/json", "Durably-Question": question.id}
            headers |= signed_headers(self._secret, body, self._now())
            request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 - see _safe
            failure, is_worth_another = self._sent(request)
            if failure is None:
                return True
            if not is_worth_another:
                break
        _log.warning(
            "question %s of run %s could not be posted to %s: %s. It waits in the inbox all the "
            "same: durably approvals",
            question.id,
            question.run,
            urlsplit(self._url).netloc,
            failure,
        )
        return False

    def _message(self, question: Question) -> dict[str, Any]:
        until = self._now() + self._lifetime
        expires = min(until, question.expires_at or until)
        token = None if question.is_secret else token_for(self._secret, question, expires)
        return {
            "v": 1,
            "event": "question",
            "question": {
                "id": question.id,
                "run": question.run,
                "thread": question.thread,
                "entry": question.entry,
                "kind": question.kind,
                "name": question.name,
                "message": described(question),
                "args": question.args,
                "args_schema": question.args_schema,
                "allowed": [*question.allowed],
                "answer_schema": answer_schema(question),
                "expires_at": question.expires_at,
            },
            "callback": {"url": self._callback or None, "token": token, "expires_at": expires},
        }

    def _sent(self, request: urllib.request.Request) -> tuple[str | None, bool]:
        """Return why a request failed, if it did, and whether another try may help."""
        try:
            with self._opener.open(request, timeout=self._timeout):
                return None, False
        except urllib.error.HTTPError as error:
            with error:
                return f"status {error.code}", error.code in _WORTH_ANOTHER_TRY
        except (OSError, HTTPException) as error:
            return f"{type(error).__name__}: {error}", True


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: what is signed for one place is not handed to another."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Take a redirect for the failure that it is here."""


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return url
    raise ValueError(f"a webhook posts to https, or to http on this machine, not to {url!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
