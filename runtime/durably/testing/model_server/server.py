"""The scripted model server: the providers' APIs on the loopback interface."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from .http import ChatHTTPServer
from .model import ScriptedModel
from .request import Request
from .script import Script

_LOOK_FOR_SHUTDOWN_EVERY = 0.05


class ModelServer:
    """Serves a scripted model over real HTTP, in threads of this process.

    It speaks OpenAI's chat completions and responses, Anthropic's messages, Google's
    ``generateContent`` and Ollama's chat (streamed or not, with tool calls), Amazon Bedrock's
    ``converse``, and Azure's paths to the first two, as their API references describe them, for
    any model name and any key. One script answers all of them. Without a script it answers
    embeddings, counts of tokens and ``GET /v1/models``. It records every request; ``GET
    /_requests`` shows them. A request for which the script has no reply is answered with status
    500; its message shows the request's last message and the rules that were tried, and is logged
    as a warning to ``durably.testing``.

    It serves from the moment it is made until `close`; use it as a context manager.

    Args:
        script: Rules in order of precedence, or a function from request to reply.
        port: The port on 127.0.0.1; 0 picks a free one.
        record_to: A file to which each request is appended as one JSON line, flushed, before it
            is answered: ``{"fingerprint": …, "body": …}``.
        delay: Seconds to wait before every answer, on top of a reply's own delay.

    Raises:
        OSError: The port is taken, or the file cannot be written.

    Example:
        >>> from durably.testing import ModelServer, Reply, Rule, When
        >>> from openai import OpenAI
        >>> rules = [Rule(When(user="capital of France"), Reply.text("Paris"))]
        >>> with ModelServer(rules) as server, OpenAI(base_url=server.url, api_key="any") as client:
        ...     answer = client.chat.completions.create(
        ...         model="gpt-4o-mini",
        ...         messages=[{"role": "user", "content": "The capital of France?"}],
        ...     )
        ...     answer.choices[0].message.content, server.count()
        ('Paris', 1)
    """

    def __init__(
        self,
        script: Script,
        *,
        port: int = 0,
        record_to: str | Path | None = None,
        delay: float = 0.0,
    ) -> None:
        self._model = ScriptedModel(script, record_to, delay)
        try:
            self._http = ChatHTTPServer(port, self._model)
        except OSError:
            self._model.close()
            raise
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            args=(_LOOK_FOR_SHUTDOWN_EVERY,),
            name="durably-model-server",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL of OpenAI's clients, such as ``http://127.0.0.1:49152/v1``."""
        return f"{self.host}/v1"

    @property
    def host(self) -> str:
        """The address without a path: the base URL of Anthropic's, Google's and AWS's clients."""
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def calls(self) -> Counter[str]:
        """How often each path was asked, those included that no script answers (embeddings)."""
        return self._model.calls

    @property
    def requests(self) -> Sequence[Request]:
        """The requests so far, in order of arrival; a copy."""
        return self._model.requests

    @property
    def counts(self) -> Counter[str]:
        """How often each fingerprint was asked: a count above 1 is a call paid twice."""
        return Counter(request.fingerprint for request in self.requests)

    def count(self) -> int:
        """Return the number of requests so far."""
        return len(self.requests)

    def close(self) -> None:
        """Stop serving: end all delays, hang up on the clients, free the port.

        Calling it again does nothing.
        """
        self._model.stop()
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()
        self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
