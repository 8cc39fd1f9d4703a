"""The scripted model itself, without HTTP: it records each request and decides the reply."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .reply import Failure, Reply
from .request import Request
from .script import NoRuleMatched, Script, compile_script

_LOG = logging.getLogger("durably.testing")


class ScriptedModel:
    """Records requests and answers them by a script. Safe to ask from several threads.

    Args:
        script: Rules, or a function from request to reply.
        record_to: A file to append each request to, or ``None``.
        delay: Seconds that `pause` waits at least.
    """

    def __init__(self, script: Script, record_to: str | Path | None, delay: float) -> None:
        self._decide = compile_script(script)
        self._delay = delay
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._calls: Counter[str] = Counter()
        self._closing = threading.Event()
        self._file = None if record_to is None else Path(record_to).open("a", encoding="utf-8")  # noqa: SIM115

    @property
    def requests(self) -> Sequence[Request]:
        """The requests so far, in order of arrival; a copy."""
        with self._lock:
            return list(self._requests)

    @property
    def calls(self) -> Counter[str]:
        """How often each path was asked; a copy."""
        with self._lock:
            return self._calls.copy()

    def called(self, path: str) -> None:
        """Count one more call, whatever it asks for."""
        with self._lock:
            self._calls[path] += 1

    def receive(self, request: Request) -> Reply:
        """Record a request and return the reply to it.

        A script that fails, or has no rule for it, gives a reply with status 500 and is logged.
        """
        self._record(request)
        try:
            return self._decide(request)
        except NoRuleMatched as error:
            message = str(error)
        except Exception as error:
            message = f"the script failed: {type(error).__name__}: {error}"
        _LOG.warning("%s", message)
        return Reply(failure=Failure(500, message, retryable=False))

    def pause(self, seconds: float) -> bool:
        """Wait so many seconds plus the model's own delay; tell whether it still answers."""
        return not self._closing.wait(self._delay + seconds)

    def stop(self) -> None:
        """End all pauses; answer no more."""
        self._closing.set()

    def close(self) -> None:
        """Close the file of requests, after the last answer."""
        if self._file is not None:
            self._file.close()

    def _record(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)
            if self._file is not None:
                self._file.write(json.dumps(recorded(request), ensure_ascii=False) + "\n")
                self._file.flush()


def recorded(request: Request) -> dict[str, Any]:
    """Return the JSON object by which a request is recorded."""
    return {"fingerprint": request.fingerprint, "body": request.body}


def load_requests(path: str | Path) -> list[Request]:
    """Read the requests that a model server appended to a file; none if there is no file yet.

    Example:
        >>> load_requests("nothing-was-asked.jsonl")
        []
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [Request(json.loads(line)["body"]) for line in lines]
