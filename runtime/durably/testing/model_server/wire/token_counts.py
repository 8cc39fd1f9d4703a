"""Requests that no script answers: embeddings, and counts of tokens.

An embedding is made from the words of its text, so that texts with common words are near to each
other. The shapes are those of the API references of OpenAI, Anthropic and Google.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

from ..request import canonical_json
from .parts import tokens

_DIMENSIONS = 64


def embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of OpenAI's "Create embeddings"."""
    given = body["input"]
    texts = [given] if isinstance(given, str) else given
    size = int(body.get("dimensions") or _DIMENSIONS)
    encoded = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(str(text), size, encoded)}
        for index, text in enumerate(texts)
    ]
    count = sum(tokens(str(text)) for text in texts)
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": data, "model": body.get("model", ""), "usage": usage}


def _vector(text: str, size: int, encoded: bool) -> list[float] | str:
    counted = [0.0] * size
    for word in re.findall(r"\w+", text.lower()):
        counted[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % size] += 1.0
    length = math.sqrt(sum(number * number for number in counted)) or 1.0
    numbers = [number / length for number in counted]
    if not encoded:
        return numbers
    return base64.b64encode(struct.pack(f"<{size}f", *numbers)).decode()


def _count(body: Mapping[str, Any]) -> int:
    return tokens(canonical_json(body))


ENDPOINTS: Mapping[re.Pattern[str], Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    re.compile(r"(?:/openai)?/v1/embeddings"): embeddings,
    re.compile(r"(?:/openai)?/v1/responses/input_tokens"): lambda body: {
        "object": "response.input_tokens",
        "input_tokens": _count(body),
    },
    re.compile(r"/v1/messages/count_tokens"): lambda body: {"input_tokens": _count(body)},
    re.compile(r"/v1(?:beta)?/models/[^/:]+:countTokens"): lambda body: {
        "totalTokens": _count(body)
    },
}
"""What is answered without a script, by path."""
