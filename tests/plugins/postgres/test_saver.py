"""Checkpointers by LangGraph's names: what its programs write works here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from durably import (
    AsyncPostgresSaver,
    Command,
    PostgresSaver,
    PostgresStore,
    entrypoint,
    interrupt,
    task,
)
from durably.errors import JournalError

CONFIG: Any = {"configurable": {"thread_id": "t"}}


@pytest.fixture
def saver(empty_postgres_url: str) -> Iterator[PostgresSaver]:
    with PostgresSaver.from_conn_string(empty_postgres_url) as made:
        made.setup()
        yield made


def flow_on(checkpointer: Any, **options: Any) -> Any:
    @task
    def double(number: int) -> int:
        return 2 * number

    @entrypoint(checkpointer=checkpointer, **options)
    def flow(number: int, *, previous: int | None = None) -> int:
        told = interrupt("go on?") if number == 0 else 1
        return (previous or 0) + double(number).result() + told

    return flow


def test_a_program_remembers_and_waits(saver: PostgresSaver, empty_postgres_url: str):
    """Memory and a question outlive the checkpointer that kept them."""
    flow = flow_on(saver)
    assert flow.invoke(3, CONFIG) == 7
    assert flow.invoke(0, CONFIG)["__interrupt__"][0].value == "go on?"
    with PostgresSaver.from_conn_string(empty_postgres_url, pipeline=True) as other:
        assert flow_on(other).invoke(Command(resume=10), CONFIG) == 17
        assert flow_on(other).get_state(CONFIG).values == 17


async def test_async_programs_use_the_other_name(empty_postgres_url: str):
    """``AsyncPostgresSaver`` is opened and set up with ``await``, as in LangGraph."""
    async with AsyncPostgresSaver.from_conn_string(empty_postgres_url) as saver:
        await saver.setup()
        assert await flow_on(saver).ainvoke(3, CONFIG) == 7
        await saver.adelete_thread("t")
        assert [*saver.read("t")] == []


async def test_connections_and_pools_name_the_database(
    postgres_server: str, empty_postgres_url: str
):
    """Whatever LangGraph's checkpointers take is taken."""
    schema = empty_postgres_url.rpartition("schema=")[2]
    with ConnectionPool(postgres_server, min_size=1, max_size=2) as pool:
        saver = PostgresSaver(pool, schema=schema)
        assert flow_on(saver).invoke(3, CONFIG) == 7
        saver.close()
    with psycopg.connect(postgres_server) as connection:
        saver = PostgresSaver(connection, schema=schema)
        assert flow_on(saver).invoke(3, CONFIG) == 14
        saver.close()
    async with AsyncConnectionPool(postgres_server, open=False) as apool:
        saver = AsyncPostgresSaver(apool, schema=schema)
        assert await flow_on(saver).ainvoke(3, CONFIG) == 21
        saver.close()


def test_threads_are_copied_pruned_and_deleted(saver: PostgresSaver):
    """LangGraph's methods for whole threads work on the database's threads."""
    flow = flow_on(saver)
    for _ in range(3):
        flow.invoke(1, CONFIG)
    rows = len(saver.read("t"))
    saver.copy_thread("t", "copy")
    assert len(saver.read("copy")) == rows
    with pytest.raises(JournalError, match="holds"):
        saver.copy_thread("t", "copy")
    saver.prune(["t"])
    assert 0 < len(saver.read("t")) < rows
    assert flow.invoke(1, CONFIG) == 12
    saver.prune(["copy"], strategy="delete")
    saver.delete_thread("t")
    assert [*saver.landmarks()] == []


def test_the_names_are_langgraphs(saver: PostgresSaver):
    """What LangGraph's checkpointers offer for threads and opening is here under the same names."""
    theirs = {"delete_thread", "adelete_thread", "copy_thread", "acopy_thread", "prune", "aprune"}
    assert theirs - set(dir(BaseCheckpointSaver)) == set()
    assert (theirs | {"setup", "from_conn_string"}) - set(dir(saver)) == set()


def test_a_store_opens_as_langgraphs_does(empty_postgres_url: str):
    """``from_conn_string``, ``setup`` and a pool's size are understood."""
    with PostgresStore.from_conn_string(empty_postgres_url, pool_config={"max_size": 2}) as store:
        store.setup()
        store.put(("a",), "k", {"n": 1})
    with PostgresStore.from_conn_string(empty_postgres_url) as again:
        found = again.get(("a",), "k")
        assert found is not None
        assert found.value == {"n": 1}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("from durably import PostgresSaver", "ImportError: PostgresSaver needs psycopg 3"),
        ("Host('postgresql:///x').journal", "durably.PluginError: PostgresStorage needs psycopg 3"),
    ],
)
def test_without_the_client_library_the_extra_is_named(code: str, said: str):
    """Whoever did not install the extra is told its name; everything else works."""
    program = (
        "import sys\n"
        "sys.modules['psycopg'] = sys.modules['psycopg_pool'] = None\n"
        "from durably import *\n"
        "Host('memory:').close()\n" + code
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert said in done.stderr
    assert 'pip install "durably[postgres]"' in done.stderr
