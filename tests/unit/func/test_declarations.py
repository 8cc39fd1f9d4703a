"""What an entrypoint is declared with: URLs are opened when used, and what is unfit is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from durably import (
    BaseStore,
    CachePolicy,
    InMemoryCache,
    InMemorySaver,
    InMemoryStore,
    PluginError,
    TimeoutPolicy,
    entrypoint,
    task,
)

CALLS: list[int] = []


@pytest.fixture(autouse=True)
def calls() -> list[int]:
    CALLS.clear()
    return CALLS


@task(cache_policy=CachePolicy(ttl=60))
def double(x: int) -> int:
    CALLS.append(x)
    return 2 * x


def body(x: int, *, store: BaseStore) -> Any:
    if x:
        store.put(("a",), "x", {"is": x})
    item = store.get(("a",), "x")
    return double(1).result(), item.value if item is not None else None


def test_urls_of_a_store_and_a_cache(tmp_path: Path) -> None:
    """What lies there serves an entrypoint that is declared later, as in another process."""
    place = f"sqlite:///{tmp_path / 'all.db'}"
    for x in (5, 0):
        flow = entrypoint(checkpointer=place, store=place, cache=place)(body)
        assert flow.invoke(x) == (2, {"is": 5})
    assert CALLS == [1]


def test_a_nested_entrypoint_has_its_own(tmp_path: Path) -> None:
    """URLs of a nested one are opened as well."""
    place = f"sqlite:///{tmp_path / 'all.db'}"
    inner = entrypoint(store=place, cache=place)(body)

    @entrypoint(checkpointer="memory:")
    def outer(x: int) -> Any:
        return inner.invoke(x)

    assert outer.invoke(5) == (2, {"is": 5})
    assert inner.store.get(("a",), "x").value == {"is": 5}


def test_a_file_is_opened_when_it_is_used(tmp_path: Path) -> None:
    """Declaring an entrypoint touches nothing."""
    place = f"sqlite:///{tmp_path / 'all.db'}"
    entrypoint(checkpointer=place, store=place, cache=place)(body)
    assert list(tmp_path.iterdir()) == []


def test_a_url_that_nothing_knows_is_told() -> None:
    """By the name of what it was given for."""
    for options in ({"store": "nowhere://"}, {"cache": "nowhere://"}):
        with pytest.raises(PluginError, match=next(iter(options))):
            entrypoint(**options)(body).invoke(1)  # type: ignore[arg-type]


@pytest.mark.parametrize("unfit", [5, "", object(), {}, InMemorySaver, [InMemorySaver()]])
def test_what_is_no_checkpointer_is_refused(unfit: Any) -> None:
    """Where it is written; a class is none, it has to be called."""
    with pytest.raises(TypeError, match="no checkpointer"):
        entrypoint(checkpointer=unfit)


@pytest.mark.parametrize("unfit", [5, object(), {}, InMemoryStore, InMemoryCache()])
def test_what_is_no_store_is_refused(unfit: Any) -> None:
    """Where it is written."""
    with pytest.raises(TypeError, match="no store"):
        entrypoint(store=unfit)


@pytest.mark.parametrize("unfit", [5, object(), {}, InMemoryCache, InMemoryStore()])
def test_what_is_no_cache_is_refused(unfit: Any) -> None:
    """Where it is written."""
    with pytest.raises(TypeError, match="no cache"):
        entrypoint(cache=unfit)


@pytest.mark.parametrize("unfit", [0, -1, True, float("nan"), TimeoutPolicy(idle_timeout=0)])
def test_what_is_no_time_is_refused(unfit: Any) -> None:
    """For entrypoints and tasks."""
    for declare in (entrypoint, task):
        with pytest.raises((TypeError, ValueError), match="timeout"):
            declare(timeout=unfit)(lambda x: x)


@pytest.mark.parametrize("options", [{"retry_policy": "often"}, {"cache_policy": 60}])
def test_what_is_no_policy_is_refused(options: dict[str, Any]) -> None:
    """For entrypoints and tasks."""
    for declare in (entrypoint, task):
        with pytest.raises(TypeError, match=r"retry|cache_policy"):
            declare(**options)(lambda x: x)


@dataclass
class Settings:
    """A context."""

    model: str
    depth: int = 2


class Model(BaseModel):
    """A context."""

    model: str


class Mapped(TypedDict):
    """A context."""

    model: str


@pytest.mark.parametrize("schema", [Settings, Model, Mapped])
def test_the_schema_of_a_context(schema: type[Any]) -> None:
    """Of each kind of class that LangGraph knows."""
    told = entrypoint(context_schema=schema)(body).get_context_jsonschema()
    assert told is not None
    assert (told["title"], told["required"]) == (schema.__name__, ["model"])


def test_a_context_that_may_be_anything_has_no_schema() -> None:
    """One that says nothing is refused when the schema is asked for."""
    assert entrypoint()(body).get_context_jsonschema() is None
    with pytest.raises(ValueError, match="no pydantic model"):
        entrypoint(context_schema=int)(body).get_context_jsonschema()
