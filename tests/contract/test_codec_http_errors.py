"""Errors of HTTP clients: what programs look at comes back, and credentials are not recorded."""

from __future__ import annotations

import asyncio
import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from durably.errors import DecodeError, EncodeError
from durably.journal.codec.codec import Codec

BODY = b'{"error": {"message": "no such user", "type": "missing", "code": "gone"}}'
SECRET = "s3cret-value"


class _Refusing(http.server.BaseHTTPRequestHandler):
    """Answers everything with 404, a JSON body and a session cookie."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(404)
        for name, value in (
            ("content-type", "application/json"),
            ("content-length", str(len(BODY))),
            ("set-cookie", f"session={SECRET}"),
            ("x-request-id", "r1"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(BODY)

    do_POST = do_GET  # noqa: N815 - the name that the base class calls

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that refuses every request."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/users/7"
        server.shutdown()
        thread.join()


def raised(call: Any) -> Any:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def back(value: Any) -> Any:
    """Return what comes back of *value*, whole and through blobs; no secret is in the bytes."""
    codec = Codec()
    data = codec.encode(value)
    body, blobs = codec.split(value)
    assert SECRET.encode() not in data + body + b"".join(blobs.values())
    codec.join(body, lambda _: blobs)
    return codec.decode(data)


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_an_error_of_httpx_keeps_response_and_request(library: str, url: str) -> None:
    """Status, headers and body of the response are there, and the request without its body."""
    httpx = pytest.importorskip(library)
    headers = {"Authorization": f"Bearer {SECRET}", "X-Mine": "1"}
    error = raised(
        lambda: httpx.post(url, headers=headers, json={"key": SECRET}).raise_for_status()
    )

    again = back(error)

    assert (type(again), str(again)) == (type(error), str(error))
    response = again.response
    assert type(response) is httpx.Response
    assert (response.status_code, response.reason_phrase) == (404, "Not Found")
    assert response.is_client_error
    assert response.json() == error.response.json()
    assert (response.text, response.content) == (error.response.text, BODY)
    assert response.headers["X-Request-Id"] == "r1"
    assert response.elapsed == error.response.elapsed
    assert response.url == again.request.url == url
    assert again.request is not None
    assert (again.request.method, again.request.headers["x-mine"]) == ("POST", "1")
    assert again.request.headers["authorization"] == "<secret, not recorded by durably>"
    with pytest.raises(httpx.HTTPStatusError):
        response.raise_for_status()
    with pytest.raises(DecodeError, match="may hold secrets"):
        len(again.request.content)


def test_an_error_of_an_async_client_keeps_its_response(url: str) -> None:
    """The same for a response that an event loop received."""
    httpx = pytest.importorskip("httpx")

    async def call() -> None:
        async with httpx.AsyncClient() as client:
            (await client.get(url)).raise_for_status()

    assert back(raised(lambda: asyncio.run(call()))).response.json()["error"]["code"] == "gone"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_body_that_was_not_read_fails_when_it_is_used(url: str, is_async: bool) -> None:
    """A streamed response has status and headers; its body is not taken for an empty one."""
    httpx = pytest.importorskip("httpx")

    def call() -> None:
        with httpx.stream("GET", url) as response:
            response.raise_for_status()

    async def acall() -> None:
        async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
            response.raise_for_status()

    again = back(raised((lambda: asyncio.run(acall())) if is_async else call))

    assert again.response.status_code == 404
    with pytest.raises(httpx.ResponseNotRead):
        again.response.json()
    with pytest.raises(httpx.StreamClosed):
        again.response.read()


def test_a_refused_connection_keeps_its_request() -> None:
    """A transport error has the request, and no response."""
    httpx = pytest.importorskip("httpx")
    error = raised(lambda: httpx.get("http://127.0.0.1:9/x", auth=("ann", SECRET)))

    again = back(error)

    assert type(again) is httpx.ConnectError
    assert (again.request.method, again.request.url.path) == ("GET", "/x")
    assert [type(one) for one in (again.__cause__, again.__cause__.__cause__)] == [
        type(one) for one in (error.__cause__, error.__cause__.__cause__)
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_of_requests_keeps_response_and_request(url: str, stream: bool) -> None:
    """A small body is there whether it was read or not."""
    requests = pytest.importorskip("requests")
    with requests.Session() as session:
        call = session.post(url, auth=("ann", SECRET), data={"key": SECRET}, stream=stream)
        error = raised(call.raise_for_status)

        again = back(error)

        assert call.content == BODY  # the program still has it
    assert (type(again), str(again)) == (requests.HTTPError, str(error))
    assert not again.response
    assert (again.response.status_code, again.response.reason) == (404, "Not Found")
    assert again.response.json() == error.response.json()
    assert again.response.headers["X-Request-ID"] == "r1"
    assert again.response.url == again.request.url == url
    assert (again.request.method, again.request.body is None) == ("POST", False)
    with pytest.raises(requests.HTTPError):
        again.response.raise_for_status()
    with pytest.raises(DecodeError, match="may hold secrets"):
        again.response.cookies.get("session")


def test_a_refused_connection_of_requests_keeps_its_reason() -> None:
    """The exceptions of urllib3 inside have what programs look at."""
    requests = pytest.importorskip("requests")
    error = raised(lambda: requests.get("http://127.0.0.1:9/x"))

    again = back(error)

    assert (again.request.method, again.response) == ("GET", None)
    assert type(again.args[0].reason) is type(error.args[0].reason)
    with pytest.raises(DecodeError, match="could not be recorded"):
        again.args[0].pool.host  # noqa: B018


def test_an_error_of_urllib_keeps_headers_and_body(url: str) -> None:
    """The error is the response: it can be read, by the program itself and once it comes back."""
    request = urllib.request.Request(url, headers={"Authorization": SECRET})
    error = raised(lambda: urllib.request.urlopen(request))

    with back(error) as again:
        assert type(again) is urllib.error.HTTPError
        assert (str(again), again.code, again.status) == (str(error), 404, 404)
        assert (again.reason, again.geturl(), again.url) == ("Not Found", url, url)
        assert again.headers["X-Request-Id"] == again.info()["x-request-id"] == "r1"
        assert again.headers["set-cookie"] == "<secret, not recorded by durably>"
        assert again.read(5) == BODY[:5]
        assert back(again).read() == again.read() == BODY[5:]
    assert error.read() == BODY
    error.close()


def test_a_body_of_urllib_that_was_read_is_not_there_twice(url: str) -> None:
    """Where the step has read the body itself, nothing is left to be read, as before."""
    error = raised(lambda: urllib.request.urlopen(url))
    assert error.read() == BODY

    assert back(error).read() == error.read() == b""
    error.close()


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_large_body_of_urllib_is_left_to_the_program(size: int) -> None:
    """A body of unknown length is kept up to 1 MiB; the program itself can read all of it."""

    class Large(_Refusing):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self.send_response(500)
            self.end_headers()
            self.wfile.write(b"x" * size)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Large) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        error = raised(lambda: urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}"))
        again = back(error)
        assert len(error.read()) == size
        error.close()
        server.shutdown()
        thread.join()

    assert again.code == 500
    if size <= 1 << 20:
        assert len(again.read()) == size
    else:
        with pytest.raises(DecodeError, match="could not be recorded"):
            again.read()


@pytest.mark.parametrize("library", ["openai", "anthropic"])
@pytest.mark.parametrize("is_async", [False, True])
def test_an_error_of_a_model_client_keeps_what_it_says(
    library: str, url: str, is_async: bool
) -> None:
    """Status, body and response of the SDKs come back, and the key is not recorded."""
    sdk: Any = pytest.importorskip(library)
    name = {"openai": "OpenAI", "anthropic": "Anthropic"}[library]
    make = getattr(sdk, f"Async{name}" if is_async else name)
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

    async def acall() -> None:
        async with make(api_key=SECRET, base_url=url, max_retries=0) as client:
            await _ask(client, library, asked)

    def call() -> None:
        with make(api_key=SECRET, base_url=url, max_retries=0) as client:
            _ask(client, library, asked)

    error = raised((lambda: asyncio.run(acall())) if is_async else call)

    again = back(error)

    assert (type(again), str(again)) == (sdk.NotFoundError, str(error))
    assert (again.status_code, again.response.status_code) == (404, 404)
    assert (again.body, again.message) == (error.body, error.message)
    assert again.request_id == error.request_id
    assert again.request.method == "POST"
    assert again.response.headers["x-request-id"] == "r1"


def _ask(client: Any, library: str, asked: dict[str, Any]) -> Any:
    if library == "openai":
        return client.chat.completions.create(**asked)
    return client.messages.create(max_tokens=5, **asked)


def test_an_error_of_boto_keeps_its_response(url: str) -> None:
    """The parsed response is a plain dict; the cookie in its headers is masked."""
    boto3 = pytest.importorskip("boto3")
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="id",
        aws_secret_access_key=SECRET,
    )
    error = raised(lambda: client.get_object(Bucket="b", Key="k"))

    again = back(error)

    assert (type(again), str(again)) == (type(error), str(error))
    assert again.operation_name == "GetObject"
    assert again.response["Error"] == error.response["Error"]
    assert again.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert "set-cookie" in again.response["ResponseMetadata"]["HTTPHeaders"]


def test_an_error_of_aiohttp_keeps_request_and_headers(url: str) -> None:
    """Its text is made from the request's information, which comes back with it."""
    aiohttp = pytest.importorskip("aiohttp")

    async def call() -> None:
        headers = {"Authorization": SECRET}
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
            response.raise_for_status()

    error = raised(lambda: asyncio.run(call()))

    again = back(error)

    assert (type(again), str(again)) == (aiohttp.ClientResponseError, str(error))
    assert (again.status, again.message) == (404, "Not Found")
    assert again.headers["x-request-id"] == "r1"
    assert (again.request_info.method, str(again.request_info.url)) == ("GET", url)


def test_errors_in_a_group_keep_their_responses(url: str) -> None:
    """Members of a group and the causes of an error are as complete as the error itself."""
    httpx = pytest.importorskip("httpx")
    one = raised(lambda: httpx.get(url).raise_for_status())
    two = ValueError("wrapped")
    two.__cause__ = raised(lambda: httpx.get(url).raise_for_status())
    two.add_note("while looking ann up")

    again = back(ExceptionGroup("many", [one, two]))

    assert again.exceptions[0].response.status_code == 404
    assert again.exceptions[1].__cause__.response.json()["error"]["code"] == "gone"
    assert again.exceptions[1].__notes__ == ["while looking ann up"]


@pytest.mark.parametrize("library", ["httpx", "httpx2", "requests"])
def test_a_response_is_a_value(library: str, url: str) -> None:
    """A step may return a response that was read."""
    client: Any = pytest.importorskip(library)

    again = back({"got": client.get(url)})["got"]

    assert (again.status_code, again.json()["error"]["type"]) == (404, "missing")


def test_a_response_that_was_not_read_is_refused(url: str) -> None:
    """A value is whole or refused; the message says to read the body."""
    httpx = pytest.importorskip("httpx")

    with (
        httpx.stream("GET", url) as response,
        pytest.raises(EncodeError, match="Read it inside of the step"),
    ):
        Codec().encode(response)


def test_a_password_in_a_url_is_masked() -> None:
    """The URL of a recorded request does not hold the password that it was made with."""
    httpx = pytest.importorskip("httpx")

    again = back(httpx.Request("GET", f"http://ann:{SECRET}@h/x?a=b@c"))

    assert str(again.url) == "http://ann:***@h/x?a=b@c"
