"""What CrewAI remembers and knows: what is stored and looked up outside of the process, as steps.

The stores themselves are on the disk of the machine, and are not in the journal: what a replay
needs of them is what they said when they were asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from durably.adapting import Call, Scope, fingerprint

from ._event_bus import Overheard
from .models._calls import add_tokens, counted

_NOT_CONTENT = frozenset({"storage", "embeddings", "chunk_embeddings", "model_config"})


def operation(name: str, *params: str) -> Callable[..., Any]:
    """Return what journals an operation of ``Memory``.

    Args:
        name: What the step is called.
        *params: The operation's parameters in order.
    """

    def around(
        scope: Scope, original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any
    ) -> Any:
        if scope.within("memory"):
            return original(self, *args, **kwargs)
        request = {**dict(zip(params, args, strict=False)), **kwargs}
        request["root_scope"] = kwargs.get("root_scope") or self.root_scope
        return _Operation(scope, self, name, request).outcome(
            lambda: original(self, *args, **kwargs)
        )

    return around


class _Operation:
    """One operation: its value, and what it cost and announced on the way."""

    def __init__(self, scope: Scope, memory: Any, name: str, request: Mapping[str, Any]) -> None:
        self._scope = scope
        self._memory = memory
        self._call = Call("memory", name, request, dump=self._dump, load=self._load)
        self._overheard = Overheard(scope.run.codec)
        self._tokens: dict[str, int] = {}

    def outcome(self, execute: Callable[[], Any]) -> Any:
        """Return the value, now or when it was recorded."""

        def attempt() -> Any:
            with self._overheard.listening(), counted() as tokens:
                value = execute()
            self._tokens = tokens
            return list(value) if isinstance(value, list) else value  # a flow's state, with a lock

        return self._scope.step(self._call, attempt)

    def _dump(self, value: Any) -> Any:
        return {"value": value, "tokens": self._tokens, "announced": self._overheard.noted()}

    def _load(self, stored: Any) -> Any:
        if stored["tokens"]:
            add_tokens(self._memory._llm, stored["tokens"])
        self._overheard.again(self._memory, stored["announced"])
        return stored["value"]


def query(
    scope: Scope, original: Callable[..., Any], self: Any, query: Any, *args: Any, **kwargs: Any
) -> Any:
    """Journal ``Knowledge.query``."""
    return scope.step(
        _query(self, query, args, kwargs), lambda: original(self, query, *args, **kwargs)
    )


async def aquery(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    query: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Journal ``Knowledge.aquery``."""
    step = _query(self, query, args, kwargs)
    return await scope.astep(step, lambda: original(self, query, *args, **kwargs))


def _query(knowledge: Any, query: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
    request = {"collection": _collection(knowledge), "query": query, "limits": [*args, kwargs]}
    return Call("memory", "knowledge", request)


def add_sources(scope: Scope, original: Callable[..., Any], self: Any) -> Any:
    """Journal ``Knowledge.add_sources``, which has every source embedded."""
    return scope.step(_sources(self), lambda: original(self))


async def aadd_sources(scope: Scope, original: Callable[..., Awaitable[Any]], self: Any) -> Any:
    """Journal ``Knowledge.aadd_sources``."""
    return await scope.astep(_sources(self), lambda: original(self))


def _sources(knowledge: Any) -> Call:
    """Return the step; of the sources, which may be books, it holds a hash."""
    told = [
        [type(source).__name__, {k: v for k, v in vars(source).items() if k not in _NOT_CONTENT}]
        for source in knowledge.sources
    ]
    digest = hashlib.sha256(fingerprint(told)[1]).hexdigest()
    request = {"collection": _collection(knowledge), "sources": digest}
    return Call("memory", "knowledge_sources", request)


def _collection(knowledge: Any) -> Any:
    return getattr(knowledge.storage, "collection_name", None) or knowledge.collection_name
