"""Failures that a program handles by looking at them come back with what it looks at."""

from __future__ import annotations

import http.server
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest
from tests.unit.func.places import Place, thread

from durably import Command, EncodeError, interrupt, task


class _Missing(http.server.BaseHTTPRequestHandler):
    """Answers with 404 and a body of two bytes."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    """A server that knows nobody."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Missing) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/users/7"
        server.shutdown()
        serving.join()


def _httpx(url: str) -> str:
    httpx = pytest.importorskip("httpx")
    try:
        _fetched(lambda: httpx.get(url).raise_for_status())
    except httpx.HTTPStatusError as error:
        return f"{error.response.status_code} {error.response.json()} {error.request.url.path}"
    return "found"


def _requests(url: str) -> str:
    requests = pytest.importorskip("requests")
    try:
        _fetched(lambda: requests.get(url, timeout=5).raise_for_status())
    except requests.HTTPError as error:
        return f"{error.response.status_code} {error.response.json()} {error.request.path_url}"
    return "found"


def _urllib(url: str) -> str:
    try:
        _fetched(lambda: urllib.request.urlopen(url))
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read().decode()} {error.url.removeprefix(url[:-8])}"
    return "found"


calls: list[str] = []


def _fetched(call: Callable[[], Any]) -> Any:
    @task
    def fetch() -> Any:
        calls.append("fetch")
        return call()

    return fetch().result()


@pytest.mark.parametrize("look_up", [_httpx, _requests, _urllib])
def test_a_program_finds_the_response_of_a_refused_request(
    place: Place, url: str, look_up: Callable[[str], str]
) -> None:
    """A handler that reads status and body of an HTTP error does the same when it is continued."""
    calls.clear()

    def body(_: str) -> str:
        found = look_up(url)
        interrupt("go on?")
        return found

    place.flow(body).invoke("", thread())
    result = place.flow(body).invoke(Command(resume=1), thread())

    assert result == "404 {} /users/7"
    assert calls == ["fetch"]


async def test_an_awaited_task_keeps_its_response(place: Place, url: str) -> None:
    """The same in a coroutine with an async client."""
    httpx = pytest.importorskip("httpx")

    @task
    async def fetch() -> None:
        async with httpx.AsyncClient() as client:
            (await client.get(url)).raise_for_status()

    async def body(_: str) -> int:
        try:
            await fetch()
            found = 0
        except httpx.HTTPStatusError as error:
            found = error.response.status_code
        interrupt("go on?")
        return found

    await place.flow(body).ainvoke("", thread())

    assert await place.flow(body).ainvoke(Command(resume=1), thread()) == 404


def test_a_recursion_error_of_a_task_is_its_failure(place: Place) -> None:
    """It is recorded as any other, and comes back as itself."""
    runs: list[int] = []

    @task
    def fall() -> int:
        runs.append(1)

        def deeper(n: int) -> int:
            return deeper(n + 1)

        return deeper(0)

    def body(_: str) -> str:
        try:
            fall().result()
            found = "no end"
        except RecursionError as error:
            found = f"caught {type(error).__name__}: {error}"[:50]
        interrupt("go on?")
        return found

    place.flow(body).invoke("", thread())
    result = place.flow(body).invoke(Command(resume=1), thread())

    assert result.startswith("caught RecursionError: maximum recursion depth")
    assert runs == [1]


def test_a_recursion_error_may_end_a_run(place: Place) -> None:
    """The run fails with it, not with an error about what can be recorded."""

    def body(n: int) -> int:
        return body(n + 1)

    with pytest.raises(RecursionError):
        place.flow(body).invoke(0, thread())
    with pytest.raises(RecursionError):
        place.flow(body).invoke(None, thread())


@pytest.mark.parametrize("depth", [200, 2_000])
def test_deep_values_are_results_and_arguments(place: Place, depth: int) -> None:
    """A task may return and take values that nest deeper than Python's functions call."""
    runs: list[int] = []

    @task
    def wrap(value: Any) -> Any:
        runs.append(1)
        for _ in range(depth):
            value = {"inner": [value]}
        return value

    @task
    def unwrap(value: Any) -> Any:
        runs.append(2)
        while isinstance(value, dict):
            value = value["inner"][0]
        return value

    def body(names: list[str]) -> list[str]:
        found = [unwrap(wrap(name).result()).result() for name in names]
        interrupt("go on?")
        return found

    assert depth < 1_000 or depth > sys.getrecursionlimit()
    place.flow(body).invoke(["ann", "bob"], thread())
    assert place.flow(body).invoke(Command(resume=1), thread()) == ["ann", "bob"]
    assert runs == [1, 2, 1, 2]


def test_a_secret_argument_tells_calls_apart_and_is_not_recorded(tmp_path: Path) -> None:
    """Two customers' tokens are two requests; neither is in the file."""
    place = Place(tmp_path / "runs.db")
    tokens = {"ann": pydantic.SecretStr("tok-ann-5131"), "bob": pydantic.SecretStr("tok-bob-7177")}
    order = ["ann", "bob"]

    @task
    def account(token: pydantic.SecretStr, note: str) -> str:
        return f"account of {token.get_secret_value()[4:7]}"

    def body(_: str) -> dict[str, str]:
        found = {name: account(tokens[name], "x" * 3_000).result() for name in order}
        interrupt("go on?")
        return found

    place.flow(body).invoke("", thread())
    order.reverse()  # what the program meets in another order the second time
    result = place.flow(body).invoke(Command(resume=1), thread())
    place.close()

    assert result == {"ann": "account of ann", "bob": "account of bob"}
    stored = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"account of ann" in stored
    assert b"5131" not in stored
    assert b"7177" not in stored


@pytest.mark.parametrize("where", ["input", "result", "save"])
def test_a_secret_value_is_refused(tmp_path: Path, where: str) -> None:
    """A run that would have to keep a secret stops with what to do; the file does not hold it."""
    place = Place(tmp_path / "runs.db")
    secret = pydantic.SecretStr("tok-ann-5131")

    @task
    def login() -> Any:
        return {"token": secret}

    def body(_: Any) -> Any:
        return login().result() if where == "result" else secret if where == "save" else "fine"

    with pytest.raises(EncodeError, match=r"holds a secret.*Return a name"):
        place.flow(body).invoke(secret if where == "input" else "", thread())
    place.close()

    assert b"5131" not in b"".join(one.read_bytes() for one in tmp_path.iterdir())
