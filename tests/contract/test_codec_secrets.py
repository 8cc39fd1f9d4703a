"""Secrets are never in the journal: values are refused, parts of failures are left out."""

import dataclasses
import datetime as dt

import attrs
import pydantic
import pytest

from durably.adapting import without_secrets
from durably.errors import DecodeError, EncodeError
from durably.journal.codec.codec import Codec, TypeCodec

from . import codec_values as values

SECRET = "hunter2"


class Login(pydantic.BaseModel):
    name: str
    password: pydantic.SecretStr


@dataclasses.dataclass
class Account:
    token: pydantic.SecretBytes


@attrs.define
class Key:
    value: pydantic.SecretStr


class Password(pydantic.SecretStr):
    """A program's own kind of secret."""


def secret():
    return pydantic.SecretStr(SECRET)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (secret(), "result"),
        (Password(SECRET), "result"),
        (pydantic.SecretBytes(SECRET.encode()), "result"),
        (pydantic.Secret[dt.date](dt.date(2026, 1, 1)), "result"),
        ({"a": [secret()]}, "result['a'][0]"),
        ({1: secret()}, "result[1]"),
        ((secret(),), "result[0]"),
        ({secret()}, "result{…}"),
        (Login(name="ann", password=SECRET), "result.password"),
        (Account(pydantic.SecretBytes(b"hunter2")), "result.token"),
        (Key(secret()), "result.value"),
        (values.Box(Login(name="ann", password=SECRET)), "result.held.password"),
        (values.Settings(a=secret()), "result['a']"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_secret_is_refused_wherever_it_is(value, path):
    """The message names the place and says what to return; it does not hold the secret."""
    for write in (Codec().encode, Codec().split):
        with pytest.raises(EncodeError) as caught:
            write(value)
        assert str(caught.value).startswith(f"{path}: ")
        assert "holds a secret" in str(caught.value)
        assert "Return a name" in str(caught.value)
        assert SECRET not in str(caught.value)


def test_a_type_codec_may_seal_secrets():
    """A program with a key of its own decides how its secrets are written."""
    seal = TypeCodec(
        pydantic.SecretStr,
        "sealed",
        lambda value: value.get_secret_value()[::-1],
        lambda text: pydantic.SecretStr(text[::-1]),
    )
    codec = Codec([seal])

    data = codec.encode(Login(name="ann", password=SECRET))

    assert SECRET.encode() not in data
    assert codec.decode(data).password.get_secret_value() == SECRET


def test_a_secret_in_an_exception_is_left_out():
    """The failure is recorded, the secret is not, and who asks for it is told."""
    error = values.RefusedError("ann", code=403)
    error.login = Login(name="ann", password=SECRET)
    error.args = (*error.args, secret(), {"deep": secret()})
    error.__cause__ = KeyError(secret())

    data = Codec().encode(error)
    again = Codec().decode(data)

    assert SECRET.encode() not in data
    assert again.login.name == "ann"
    with pytest.raises(DecodeError, match="SecretStr, could not be recorded"):
        again.login.password.get_secret_value()


@pytest.mark.parametrize(
    "name", ["Authorization", "x-api-key", b"Cookie", "SET-COOKIE", "x-goog-api-key"]
)
def test_secret_headers_of_an_exception_are_masked(name):
    """Headers that an error carries as a plain dict are kept, but for credentials."""
    error = values.RefusedError("ann", code=403)
    value = SECRET.encode() if isinstance(name, bytes) else SECRET
    error.headers = {name: value, "retry-after": "3"}
    error.more = [{"headers": {name: [value]}}]

    data = Codec().encode(error)
    again = Codec().decode(data)

    assert SECRET.encode() not in data
    assert again.headers["retry-after"] == "3"
    assert b"secret" in bytes(str(again.headers[name]), "utf-8")
    assert error.headers[name] == value  # the program's own is as it was


def test_a_header_in_a_plain_value_is_data():
    """Only exceptions are masked: what a program returns comes back as it was."""
    codec = Codec()

    assert codec.decode(codec.encode({"Authorization": "x"})) == {"Authorization": "x"}


@pytest.mark.parametrize(
    ("name", "is_masked"),
    [
        ("X-My-Token", True),
        ("X-Service-Secret", True),
        ("Idempotency-Key", False),
        ("x-ratelimit-remaining-tokens", False),
        ("anthropic-beta", False),
    ],
)
def test_headers_of_ones_own_are_told_by_their_names(name, is_masked):
    """In a dict of headers a name that ends like a credential's counts as one."""
    given = {"extra_headers": {name: "abc"}, "token": "x", name: "abc"}

    masked = without_secrets(given)

    assert (masked["extra_headers"][name] != "abc") is is_masked
    assert masked["token"] == "x"
    assert masked[name] == "abc"
