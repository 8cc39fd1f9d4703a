"""Where a database is: the URLs and connection strings that name one, and what people are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from durably.errors import StorageError

DEFAULT_SCHEMA = "durably"

_PARAMETER = "schema="
_PARAMETERS = {"host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "options"}
"""What a pool's ``kwargs`` may say of the address, besides options of psycopg's own."""

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", re.ASCII)

_DEFAULTS: dict[str, str] = {
    "application_name": "durably",
    "connect_timeout": "10",
    # A network that swallows packets is noticed within a minute, not after two hours.
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "40000",
}


class Address(NamedTuple):
    """A database and a schema in it.

    Attributes:
        conninfo: What libpq is given.
        schema: Where the tables are.
        url: What people are shown: no password.
    """

    conninfo: str
    schema: str
    url: str


def address(given: str, schema: str | None = None) -> Address:
    """Read a URL, or libpq's other form, ``host=… dbname=…``.

    Args:
        given: What names the database. A URL's parameter ``schema`` names the schema; all others
            are libpq's.
        schema: The schema, in place of the URL's.

    Raises:
        StorageError: It is neither, or the schema's name cannot be used.
    """
    conninfo, named = _without_schema(given)
    try:
        wanted = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        # Not the text itself: it may hold a password.
        raise StorageError(
            "this is no address of a PostgreSQL database; write "
            f"postgresql://user:password@host:port/database, or libpq's keywords ({error})"
        ) from None
    defaults = {key: value for key, value in _DEFAULTS.items() if key not in wanted}
    chosen = schema or named or DEFAULT_SCHEMA
    if not _SCHEMA.fullmatch(chosen):
        raise StorageError(
            f"{chosen!r} cannot be used as a schema's name; use letters, digits, '_' and '-', at "
            "most 63, the first of them no digit"
        )
    # Whatever the environment says, texts are sent as UTF-8.
    whole = make_conninfo(conninfo, **defaults, client_encoding="utf8")
    return Address(whole, chosen, _shown(wanted, chosen))


def of_pool(pool: ConnectionPool[Any] | AsyncConnectionPool[Any]) -> str:
    """Return a connection string for what a pool connects to."""
    given = pool.conninfo if isinstance(pool.conninfo, str) else ""
    options = pool.kwargs if isinstance(pool.kwargs, Mapping) else {}
    return make_conninfo(given, **{key: options[key] for key in _PARAMETERS & options.keys()})


def _without_schema(given: str) -> tuple[str, str]:
    """Take the parameter out that libpq does not know."""
    if "://" not in given:
        return given, ""
    # The rest stays as it is written: libpq's rules for escapes are not those of HTML forms.
    place, _, query = given.partition("?")
    pairs = query.split("&") if query else []
    named = [unquote(pair.removeprefix(_PARAMETER)) for pair in pairs if _is_schema(pair)]
    rest = "&".join(pair for pair in pairs if not _is_schema(pair))
    return f"{place}?{rest}" if rest else place, named[-1] if named else ""


def _is_schema(pair: str) -> bool:
    return pair.startswith(_PARAMETER)


def _shown(wanted: Mapping[str, object], schema: str) -> str:
    user, host, port = (wanted.get(key) for key in ("user", "host", "port"))
    is_socket = str(host or "/").startswith("/")
    place = (
        f"{user}@" * bool(user)
        + f"{host}" * (not is_socket)
        + f":{port}" * bool(port and not is_socket)
    )
    query = {"host": host} if is_socket and host else {}
    if schema != DEFAULT_SCHEMA:
        query["schema"] = schema
    tail = f"?{urlencode(query, safe='/')}" if query else ""
    return f"postgresql://{place}/{wanted.get('dbname') or ''}{tail}"
