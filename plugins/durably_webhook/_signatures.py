"""Signatures: HMAC-SHA256 over a time and a body, and tokens that let one question be answered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from durably.people import Question

TIMESTAMP = "Durably-Timestamp"
SIGNATURE = "Durably-Signature"
"""Headers of what is posted; names are compared without regard to case."""

TOLERANCE = 300.0
"""Seconds that a signed message may be old, or from the future by another clock."""

_LEAST_SECRET = 16


class BadSignature(ValueError):  # noqa: N818 - reads as what happened
    """A message or token was not signed with the secret, was changed, or is too old."""


def checked_secret(secret: str | bytes) -> bytes:
    """Return a secret as bytes.

    Raises:
        ValueError: It is too short to keep anybody out.
    """
    found = secret.encode() if isinstance(secret, str) else secret
    if len(found) < _LEAST_SECRET:
        raise ValueError(f"a webhook's secret has at least {_LEAST_SECRET} bytes")
    return found


def signed_headers(secret: bytes, body: bytes, now: float) -> dict[str, str]:
    """Return the headers that prove who posted *body*, and when."""
    stamp = str(int(now))
    return {TIMESTAMP: stamp, SIGNATURE: f"v1={_mac(secret, stamp.encode() + b'.' + body)}"}


def verify(secret: str | bytes, body: bytes, headers: Mapping[str, str], *, now: float) -> Any:
    """Return the JSON of a posted message whose signature holds; for whoever receives it.

    Args:
        secret: The secret that sender and receiver share.
        body: The body as it came, byte for byte.
        headers: The request's headers.
        now: Seconds since the epoch.

    Raises:
        BadSignature: It is not from the sender, was changed, or is older than five minutes.
    """
    given = {name.lower(): value for name, value in headers.items()}
    stamp, signature = given.get(TIMESTAMP.lower(), ""), given.get(SIGNATURE.lower(), "")
    expected = f"v1={_mac(checked_secret(secret), stamp.encode() + b'.' + body)}"
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise BadSignature("the signature does not hold")
    if not stamp.isdigit() or abs(now - int(stamp)) > TOLERANCE:
        raise BadSignature("the message is too old, or from a clock that is wrong")
    return json.loads(body)


def token_for(secret: bytes, question: Question, expires: float) -> str:
    """Return a token that lets its holder answer *question*, as it is asked now, once."""
    claims = {"id": question.id, "seen": digest(question), "exp": int(expires)}
    packed = _packed(json.dumps(claims, sort_keys=True).encode())
    return f"{packed}.{_mac(secret, b'token.' + packed.encode())}"


def claims_of(secret: bytes, token: str, now: float) -> Mapping[str, Any]:
    """Return what a token allows.

    Raises:
        BadSignature: It is forged, changed or expired.
    """
    packed, _, signature = token.partition(".")
    expected = _mac(secret, b"token." + packed.encode(errors="surrogatepass"))
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="surrogatepass")):
        raise BadSignature("the token is not one of ours")
    try:
        claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(packed + "=="))
    except (binascii.Error, ValueError) as error:
        raise BadSignature("the token cannot be read") from error
    if now >= claims["exp"]:
        raise BadSignature("the token has expired")
    return claims


def digest(question: Question) -> str:
    """Return what tells this question from the same one in other words or with other arguments."""
    seen = [question.id, question.kind, question.name, question.message, question.args]
    text = json.dumps([*seen, [*question.allowed]], sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _mac(secret: bytes, message: bytes) -> str:
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def _packed(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
