"""The webhook that the environment's variables describe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._delivery import Webhook

_VARIABLE = "DURABLY_WEBHOOK_"


def from_environment() -> Webhook | None:
    """Return the webhook that the environment describes, or None if it names no URL.

    Raises:
        ValueError: The URL is not safe to send to, or there is no good secret.
    """
    url = os.environ.get(f"{_VARIABLE}URL", "")
    if not url:
        return None
    from ._delivery import Webhook

    secret = os.environ.get(f"{_VARIABLE}SECRET", "")
    return Webhook(url, secret, callback=os.environ.get(f"{_VARIABLE}CALLBACK", ""))
