"""Model calls: every chat completion client's ``create`` and ``create_stream`` is a step."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from copy import copy
from functools import partial
from typing import Any

from durably.adapting import Call, Scope, Seam, without_secrets

from ._clients import Traces, count
from ._streams import closing


async def _create(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    messages: Any,
    **options: Any,
) -> Any:
    if scope.within("model") or _keeps_in_process(self):
        return await original(self, messages, **options)
    traces = Traces(scope.run, self)
    step = Call(
        "model",
        model_name(self),
        _request(self, messages, options),
        dump=traces.dump,
        load=traces.load,
        usage=_usage,
        adapter="autogen",
        with_model=partial(_with_model, self, original, messages, options),
    )
    return await scope.astep(step, lambda: original(self, messages, **options))


async def _create_stream(
    scope: Scope,
    original: Callable[..., AsyncGenerator[Any, None]],
    self: Any,
    messages: Any,
    **options: Any,
) -> AsyncIterator[Any]:
    if scope.within("model") or _keeps_in_process(self):
        async with closing(original(self, messages, **options)) as pieces:
            async for piece in pieces:
                yield piece
        return
    name, traces = model_name(self), Traces(scope.run, self)
    step = Call(
        "model",
        name,
        _request(self, messages, options),
        dump=traces.dump,
        load=traces.load,
        usage=_stream_usage,
        adapter="autogen",
        with_model=partial(_stream_with_model, self, original, messages, options),
    )
    live = scope.astream(step, lambda: original(self, messages, **options))
    async with closing(live) as pieces:
        async for piece in pieces:
            if isinstance(piece, str):
                scope.emit("messages", (piece, {"model": name}))
            yield piece


def _keeps_in_process(client: Any) -> bool:
    """Say whether *client* is a cache whose store is filled anew when the run is replayed.

    Then the step is the call of the client inside; ``within`` keeps a subclass that calls
    ``super()``, or a wrapper of any other kind, one step.
    """
    return type(getattr(client, "store", None)).__name__ == "InMemoryStore"


def _with_model(
    client: Any,
    original: Callable[..., Awaitable[Any]],
    messages: Any,
    options: Mapping[str, Any],
    name: str,
) -> Callable[[], Awaitable[Any]]:
    """Return what makes the same call with the model *name*."""
    other = other_model(client, name)

    async def execute() -> Any:
        result = await original(other, messages, **options)
        count(client, getattr(result, "usage", None))
        return result

    return execute


def _stream_with_model(
    client: Any,
    original: Callable[..., AsyncGenerator[Any, None]],
    messages: Any,
    options: Mapping[str, Any],
    name: str,
) -> Callable[[], AsyncIterator[Any]]:
    """Return what opens the same stream with the model *name*."""
    other = other_model(client, name)

    async def source() -> AsyncIterator[Any]:
        async for piece in original(other, messages, **options):
            count(client, getattr(piece, "usage", None))
            yield piece

    return source


def other_model(client: Any, name: str) -> Any:
    """Return a client of the same provider, with the same connections, for the model *name*.

    Raises:
        TypeError: The client does not keep its model's name where its kind does.
    """
    arguments = getattr(client, "_create_args", None)
    if not isinstance(arguments, Mapping):
        raise TypeError(f"a {type(client).__name__} cannot call another model")
    other = copy(client)
    other._create_args = {**arguments, "model": name}
    if hasattr(other, "_resolved_model"):
        other._resolved_model = None  # it warns of answers by another model than this
    return other


def model_name(client: Any) -> str:
    """Return the name of the model behind *client*, or of the client's class."""
    arguments = getattr(client, "_create_args", None)
    if isinstance(arguments, Mapping) and isinstance(arguments.get("model"), str):
        return str(arguments["model"])
    inner = getattr(client, "client", None)
    if inner is not None and hasattr(inner, "create_stream"):
        return model_name(inner)
    return type(client).__name__


def _request(client: Any, messages: Iterable[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that changes the answer; messages to models hold no ids and no times."""
    choice = options.get("tool_choice", "auto")
    return {
        "model": model_name(client),
        "messages": [_message(one) for one in messages],
        "tools": [_schema(tool) for tool in options.get("tools", ())],
        "tool_choice": choice if isinstance(choice, str) else choice.name,
        "json_output": _output(options.get("json_output")),
        "settings": without_secrets(_settings(client)),
        "extra": without_secrets(dict(options.get("extra_create_args", ()))),
    }


def _settings(client: Any) -> dict[str, Any]:
    """Return what a client was made with that changes its answers: temperature, seed, limits."""
    arguments = getattr(client, "_create_args", None)
    if not isinstance(arguments, Mapping):
        inner = getattr(client, "client", None)
        return _settings(inner) if hasattr(inner, "create_stream") else {}
    return {name: value for name, value in arguments.items() if name != "model"}


def _message(message: Any) -> dict[str, Any]:
    fields = dict(vars(message))
    content = fields.get("content")
    if isinstance(content, list) and any(hasattr(part, "to_base64") for part in content):
        fields["content"] = [_part(part) for part in content]
    return fields


def _part(part: Any) -> Any:
    picture = getattr(part, "image", None)
    if picture is None:
        return part
    digest = hashlib.blake2b(picture.tobytes(), digest_size=16).hexdigest()
    return {"image": digest, "size": list(picture.size)}


def _schema(tool: Any) -> Any:
    return tool if isinstance(tool, Mapping) else tool.schema


def _output(wanted: Any) -> Any:
    if isinstance(wanted, type):
        describe: Any = getattr(wanted, "model_json_schema", None)
        return {"class": wanted, "schema": describe() if describe else None}
    return wanted


def _usage(result: Any) -> Mapping[str, int] | None:
    used = getattr(result, "usage", None)
    if used is None or not (used.prompt_tokens or used.completion_tokens):
        return None  # a stream's usage is zero unless the server was asked for it
    return {"input_tokens": used.prompt_tokens, "output_tokens": used.completion_tokens}


def _stream_usage(pieces: list[Any]) -> Mapping[str, int] | None:
    return _usage(pieces[-1]) if pieces else None


SEAMS = (
    Seam(
        "autogen_core.models:ChatCompletionClient.create",
        "model",
        _create,
        "paid model calls are repeated",
        params=("messages",),
        subclasses=True,
    ),
    Seam(
        "autogen_core.models:ChatCompletionClient.create_stream",
        "model",
        _create_stream,
        "paid model calls are repeated",
        params=("messages",),
        subclasses=True,
    ),
)
