"""Items, operations and what a store of one's own needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from durably.store import NOT_PROVIDED, BaseStore, InMemoryStore, Item, PutOp, SearchItem

MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
FIELDS: dict[str, Any] = {
    "value": {"x": 1},
    "key": "k",
    "namespace": ("a", "b"),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}


@pytest.mark.parametrize("item", [Item(**FIELDS), SearchItem(**FIELDS, score=0.5)])
def test_item_from_its_json(item: Item):
    """``dict()`` is JSON data that makes an equal item."""
    data = item.dict()
    assert data["created_at"] == "2030-01-02T03:04:05+00:00"
    assert type(item)(**data) == item
    assert hash(type(item)(**data)) == hash(item)
    assert repr(item).startswith(f"{type(item).__name__}(namespace=['a', 'b'], key='k'")


@pytest.mark.parametrize("name", ["key", "value", "namespace", "created_at", "updated_at"])
def test_items_differ_by_each_field(name: str):
    """Items are equal only if all fields are."""
    other = {"key": "l", "value": {}, "namespace": ("a",)}.get(
        name, datetime(2031, 1, 1, tzinfo=UTC)
    )
    assert Item(**{**FIELDS, name: other}) != Item(**FIELDS)
    assert Item(**FIELDS) != FIELDS


class Minimal(BaseStore):
    """A store of somebody else's."""

    def __init__(self) -> None:
        self.ops: list[Any] = []

    def batch(self, ops: Iterable[Any]) -> list[Any]:
        self.ops += ops
        return [None]

    async def abatch(self, ops: Iterable[Any]) -> list[Any]:
        return self.batch(ops)


def test_own_store_needs_two_methods():
    """Everything is made of ``batch``; expiry is refused unless the store says it can."""
    store = Minimal()
    store.put(("a",), "k", {}, ["x"])
    with pytest.raises(NotImplementedError, match="items of a Minimal cannot expire"):
        store.put(("a",), "k", {}, ttl=5)
    store.put(("a",), "k", {}, ttl=None)
    store.close()
    assert store.ops == [PutOp(("a",), "k", {}, ["x"]), PutOp(("a",), "k", {})]


def test_not_provided_is_false():
    """The default of ``ttl`` tells itself from None."""
    assert not NOT_PROVIDED
    assert repr(NOT_PROVIDED) == "NOT_PROVIDED"


def test_what_a_store_takes_is_mapping_like():
    """Any mapping is a value."""
    from types import MappingProxyType

    store = InMemoryStore()
    store.put(("a",), "k", MappingProxyType({"x": MappingProxyType({"y": (1,)})}))
    assert store.get(("a",), "k").value == {"x": {"y": [1]}}


def test_import_is_light():
    """Importing and using a store loads no framework, no pydantic and no numpy."""
    script = (
        "import sys; from durably.store import InMemoryStore; InMemoryStore().put(('a',), 'k', {});"
        "bad = {'numpy', 'pydantic', 'langchain_core', 'langgraph'} & set(sys.modules);"
        "sys.exit(repr(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert done.stderr == b""
    assert done.returncode == 0
