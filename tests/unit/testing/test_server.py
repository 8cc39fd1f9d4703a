"""The model server over real HTTP, asked by OpenAI's own client."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

from durably.testing.model_server.model import load_requests
from durably.testing.model_server.reply import Reply
from durably.testing.model_server.script import Rule, When
from durably.testing.model_server.server import ModelServer

HELLO = [{"role": "user", "content": "Hello"}]
SEARCH = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
CALLS = Reply.tools(
    ("search", {"query": "green tea from the north"}), ("fetch", {"id": 7}), content="Let me look."
)


@pytest.fixture
def serve():
    """Start a server for a script; return it with a client that never retries."""
    opened = []

    def start(script, *, max_retries=0, **options):
        if isinstance(script, Reply):
            script = [Rule(When(), script)]
        server = ModelServer(script, **options)
        client = openai.OpenAI(base_url=server.url, api_key="any", max_retries=max_retries)
        opened.extend([client, server])
        return server, client

    yield start
    for resource in opened:
        resource.close()


def ask(client, messages=HELLO, **more):
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, **more)


def test_text_is_answered_with_usage_and_finish_reason(serve):
    """A content reply is a whole chat completion."""
    _, client = serve(Reply.text("Hi there").using(prompt=11, completion=3))
    answer = ask(client, response_format={"type": "text"})
    assert answer.choices[0].message.content == "Hi there"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (11, 14)


def test_parallel_tool_calls_are_answered_in_order_with_different_ids(serve):
    """A tool reply carries each call's name and JSON arguments."""
    _, client = serve(CALLS)
    choice = ask(client, tools=[SEARCH]).choices[0]
    calls = choice.message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("search", {"query": "green tea from the north"}),
        ("fetch", {"id": 7}),
    ]
    assert calls[0].id != calls[1].id
    assert (choice.message.content, choice.finish_reason) == ("Let me look.", "tool_calls")


def test_the_same_request_gets_the_same_bytes(serve):
    """Ids and usage depend on the request only, so a resumed client sees no difference."""
    _, client = serve(CALLS)
    one, two = ask(client), ask(client)
    assert one.model_dump() == two.model_dump()
    other = ask(client, [{"role": "user", "content": "Bye"}])
    assert other.id != one.id


def test_a_stream_adds_up_to_the_plain_answer(serve):
    """Content and tool calls come in pieces that make the answer that is not streamed."""
    _, client = serve(CALLS)
    plain = ask(client).choices[0].message
    with client.chat.completions.stream(model="gpt-4o-mini", messages=HELLO) as stream:
        events = [event.type for event in stream]
        streamed = stream.get_final_completion().choices[0]
    assert streamed.message.content == plain.content
    assert [call.id for call in streamed.message.tool_calls] == [
        call.id for call in plain.tool_calls
    ]
    assert [call.function.arguments for call in streamed.message.tool_calls] == [
        call.function.arguments for call in plain.tool_calls
    ]
    assert streamed.finish_reason == "tool_calls"
    assert events.count("content.delta") >= 3
    assert events.count("tool_calls.function.arguments.delta") > 2


@pytest.mark.parametrize("content", ["", " ", "two  words\n", "\n lead", "ä—🍵\ttail "])
def test_a_stream_keeps_every_character(serve, content):
    """White space and characters outside ASCII survive the division into pieces."""
    _, client = serve(Reply.text(content))
    pieces = [chunk.choices[0].delta.content or "" for chunk in ask(client, stream=True)]
    assert "".join(pieces) == content


def test_a_stream_ends_with_usage_when_asked(serve):
    """``include_usage`` adds one last event without choices."""
    _, client = serve(Reply.text("Hi there"))
    events = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert [bool(event.choices) for event in events] == [True] * (len(events) - 1) + [False]
    assert events[-1].usage == ask(client).usage
    assert all(event.usage is None for event in ask(client, stream=True))


async def test_the_async_client_is_served_the_same(serve):
    """Plain, streamed and concurrent calls work with the asynchronous client."""
    server, client = serve(Reply.text("Hi there"))
    async with openai.AsyncOpenAI(base_url=server.url, api_key="any", max_retries=0) as aclient:
        plain = await ask(aclient)
        pieces = [
            chunk.choices[0].delta.content or "" async for chunk in await ask(aclient, stream=True)
        ]
    assert plain == ask(client)
    assert "".join(pieces) == "Hi there"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_scripted_error_has_its_status_and_message(serve, status, error, stream):
    """The client raises the error of that status, also when it asked for a stream."""
    _, client = serve(Reply.error(status, "no luck", retry_after=1.5))
    with pytest.raises(error, match="no luck") as caught:
        ask(client, stream=stream)
    assert caught.value.response.headers["retry-after"] == "1.5"


def test_a_client_that_retries_gets_past_an_error_with_a_count(serve):
    """The request that was repeated is counted twice under one fingerprint."""
    server, client = serve(
        [Rule(When(), Reply.error(429, retry_after=0), times=1), Rule(When(), Reply.text("ok"))],
        max_retries=1,
    )
    assert ask(client).choices[0].message.content == "ok"
    assert list(server.counts.values()) == [2]


def test_a_count_holds_for_clients_that_ask_at_the_same_time(serve):
    """Exactly as many requests fail as the rule says."""
    server, client = serve(
        [Rule(When(), Reply.error(500), times=3), Rule(When(), Reply.text("ok"))]
    )

    def failed(_):
        try:
            ask(client)
        except openai.InternalServerError:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(failed, range(16))) == 3
    assert server.count() == 16


@pytest.mark.parametrize("stream", [False, True])
def test_a_dropped_connection_is_seen_before_any_answer(serve, stream):
    """The client gets a connection error, not a status."""
    _, client = serve(Reply.drop())
    with pytest.raises(openai.APIConnectionError):
        ask(client, stream=stream)


def test_a_stream_is_cut_after_the_events_asked_for(serve):
    """What was sent before the cut arrives; then the stream fails rather than ends."""
    _, client = serve(Reply.text("one two three four").cut(after=3))
    stream = ask(client, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(3)] == ["", "one", " two"]
    with pytest.raises((httpx.RemoteProtocolError, openai.APIConnectionError)):
        next(stream)


def test_a_plain_answer_is_cut_in_the_middle_of_its_body(serve):
    """Half an answer is a connection error."""
    _, client = serve(Reply.text("one two").cut(after=1))
    with pytest.raises(openai.APIConnectionError):
        ask(client)


def test_a_request_without_a_rule_fails_loudly_and_once(serve, caplog):
    """The error shows the last message and the rules, is logged, and stops clients' retries."""
    server, client = serve([Rule(When(user="weather"), Reply.text("Sunny"))], max_retries=2)
    with pytest.raises(openai.InternalServerError, match="no rule of the script") as caught:
        ask(client)
    assert "Hello" in str(caught.value)
    assert "weather" in str(caught.value)
    assert "no rule of the script" in caplog.text
    assert server.count() == 1


def test_a_function_is_a_script_and_its_error_is_told(serve):
    """A function is given the request; when it fails, the client is told how."""

    def script(request):
        if request.turns:
            raise KeyError("turns")
        return Reply.text(request.user.upper())

    _, client = serve(script)
    assert ask(client).choices[0].message.content == "HELLO"
    with pytest.raises(openai.InternalServerError, match="the script failed: KeyError"):
        ask(client, [*HELLO, {"role": "assistant", "content": "Hi"}])


def test_requests_are_recorded_in_order(serve, tmp_path):
    """The list, the file and the route show the same requests."""
    path = tmp_path / "requests.jsonl"
    server, client = serve(Reply.text("ok"), record_to=path)
    ask(client)
    ask(client, [{"role": "user", "content": "Grüße"}], stream=True).close()
    assert [request.user for request in server.requests] == ["Hello", "Grüße"]
    assert [request.stream for request in server.requests] == [False, True]
    assert load_requests(path) == server.requests
    shown = httpx.get(f"{server.url.removesuffix('/v1')}/_requests").json()
    assert [item["fingerprint"] for item in shown] == [
        request.fingerprint for request in server.requests
    ]


def test_a_request_is_on_file_before_it_is_answered(serve, tmp_path):
    """A reader that starts when the script runs finds the request."""
    path = tmp_path / "requests.jsonl"
    found = []

    def script(_):
        found.append(len(load_requests(path)))
        return Reply.text("ok")

    _, client = serve(script, record_to=path)
    ask(client)
    ask(client)
    assert found == [1, 2]


def test_models_are_listed(serve):
    """A client that looks for models finds one; nothing is counted."""
    server, client = serve(Reply.text("ok"))
    assert [model.id for model in client.models.list()] == ["gpt-4o-mini"]
    assert server.count() == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/embeddings", "{}", 400),
        ("/v1/nothing", "{}", 404),
        ("/v1/chat/completions", "not json", 400),
        ("/v1/chat/completions", "[]", 400),
        ("/v1/chat/completions", '{"messages": "none"}', 400),
    ],
)
def test_what_is_no_chat_request_is_refused_and_the_connection_stays(serve, path, body, status):
    """A refusal has OpenAI's error form, and the next request is served as usual."""
    server, _ = serve(Reply.text("ok"))
    with httpx.Client(base_url=server.url.removesuffix("/v1")) as http:
        refusal = http.post(path, content=body)
        assert (refusal.status_code, set(refusal.json())) == (status, {"error"})
        chat = {"model": "any/model:1", "messages": HELLO}
        assert http.post("/v1/chat/completions", json=chat).json()["model"] == "any/model:1"


def test_a_delay_ends_when_the_server_closes(serve):
    """Closing does not wait for delays: the client sees the connection go."""
    arrived = threading.Event()

    def script(_):
        arrived.set()
        return Reply.text("late").delayed(3600)

    server, client = serve(script)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, client)
        assert arrived.wait(30)
        server.close()
        with pytest.raises(openai.APIConnectionError):
            answer.result(30)


def test_closing_leaves_no_thread_and_frees_the_port():
    """The port can be taken again at once, with connections kept alive until then."""
    before = set(threading.enumerate())
    with ModelServer([Rule(When(), Reply.text("ok"))]) as server:
        port = httpx.URL(server.url).port
        with httpx.Client() as http:
            http.get(f"{server.url}/models")
    server.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert set(threading.enumerate()) <= before
    with ModelServer([], port=port) as again:
        assert again.url == server.url


def start_command(*arguments, **options):
    command = [sys.executable, "-m", "durably.testing.server", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def test_the_command_serves_a_script_file(tmp_path):
    """A server of its own process prints its URL, serves, and records to a file."""
    script, requests = tmp_path / "script.json", tmp_path / "requests.jsonl"
    script.write_text('[{"when": {"user": "Hello"}, "reply": "Hi"}]', encoding="utf-8")
    with start_command("--script", str(script), "--requests", str(requests)) as process:
        url = process.stdout.readline().strip()
        with openai.OpenAI(base_url=url, api_key="any", max_retries=0) as client:
            assert ask(client).choices[0].message.content == "Hi"
        process.terminate()
    assert [request.user for request in load_requests(requests)] == ["Hello"]


def test_the_command_ends_after_its_lifetime():
    """No server outlives its time, and that is no failure."""
    with start_command("--script", "crew", "--lifetime", "0") as process:
        output, _ = process.communicate()
    assert output.startswith("http://127.0.0.1:")
    assert process.returncode == 0


def test_the_command_ends_with_its_parent():
    """When the process that started the server dies, the server's end of the pipe closes."""
    program = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-m', 'durably.testing.server', '--script', 'team'])\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout.readline().startswith("http://127.0.0.1:")
        parent.kill()
        assert parent.stdout.read() == ""


def test_the_command_tells_what_is_wrong_with_a_script(tmp_path):
    """A bad script is one line on stderr and status 2."""
    script = tmp_path / "script.json"
    script.write_text("{}", encoding="utf-8")
    with start_command("--script", str(script), stderr=subprocess.PIPE) as process:
        _, complaint = process.communicate()
    assert complaint == f"durably.testing.server: {script}: a script is a list of rules, not {{}}\n"
    assert process.returncode == 2


def test_ollamas_api_is_answered_by_the_same_script(serve):
    """Whole and in lines, with a tool call and its result, which have no ids."""
    import ollama

    script = [
        Rule(When(tool="add"), Reply.text("It is five.")),
        Rule(When(), Reply.tool("add", {"a": 2, "b": 3})),
    ]
    server, _ = serve(script)
    asked: list = [{"role": "user", "content": "2 and 3?"}]
    client = ollama.Client(host=server.host)
    with client._client:
        called = client.chat("llama3.2", messages=asked).message
        (call,) = called.tool_calls
        assert (call.function.name, call.function.arguments) == ("add", {"a": 2, "b": 3})
        asked += [called, {"role": "tool", "content": "5"}]
        pieces = list(client.chat("llama3.2", messages=asked, stream=True))
    assert "".join(piece.message.content for piece in pieces) == "It is five."
    assert [piece.done for piece in pieces][-2:] == [False, True]
