"""Where a policy retries a model's calls, CrewAI and the provider's SDK do not retry as well."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

_CLIENTS = ("_get_sync_client", "_get_async_client")
"""Methods of CrewAI's model classes that make or return the SDK's client."""

_ATTRIBUTES = ("client", "async_client")
"""Where they kept it before CrewAI 1.14."""

_KEPT = "durably_max_retries"
_setting = threading.Lock()


@contextmanager
def left_to_the_policy(model: Any) -> Generator[None]:
    """Have a call that is made in the block fail at its first failure.

    CrewAI waits after a 429 and asks again; the clients of OpenAI and Anthropic ask three times.
    Other providers' clients are left as they are.
    """
    clients = list(_clients(model))
    for client in clients:
        _take(client)
    waiting = getattr(sys.modules.get("crewai.llms.retry"), "_active_llm_rate_limit_retry", None)
    token = None if waiting is None else waiting.set(True)
    try:
        yield
    finally:
        if waiting is not None:
            waiting.reset(token)
        for client in clients:
            _give_back(client)


def _clients(model: Any) -> Generator[Any]:
    makers = [getattr(model, name, None) for name in _CLIENTS]
    held = [vars(model).get(name) for name in _ATTRIBUTES]
    for client in [*(make() for make in makers if make is not None), *held]:
        if isinstance(getattr(client, "max_retries", None), int):
            yield client


def _take(client: Any) -> None:
    """Count one more call that holds the client's retries back."""
    with _setting:
        kept = vars(client).setdefault(_KEPT, [0, client.max_retries])
        kept[0] += 1
        client.max_retries = 0


def _give_back(client: Any) -> None:
    with _setting:
        kept = vars(client)[_KEPT]
        kept[0] -= 1
        if not kept[0]:
            client.max_retries = kept[1]
            del vars(client)[_KEPT]
