"""What ``import durably`` offers is decided, complete, and cheap."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import entry_points
from types import ModuleType

import pytest

import durably

NAMES = [
    "AdapterMismatch",
    "Answer",
    "AnswerRefused",
    "ApprovalPolicy",
    "AsyncSqliteSaver",
    "BaseStore",
    "Budget",
    "BudgetExceeded",
    "CachePolicy",
    "CallRejected",
    "CodecError",
    "Command",
    "ConfigError",
    "DecodeError",
    "Durable",
    "DurablyError",
    "EmbeddingError",
    "EncodeError",
    "Entrypoint",
    "ExecutionInfo",
    "Extension",
    "GraphDrained",
    "GraphOutput",
    "Host",
    "InMemoryCache",
    "InMemorySaver",
    "InMemoryStore",
    "Inbox",
    "Interrupt",
    "InvalidNamespaceError",
    "Item",
    "JournalCorrupt",
    "JournalError",
    "JournalTooNew",
    "LaunchError",
    "LeaseLost",
    "Listener",
    "Match",
    "MemoryStorage",
    "NodeTimeoutError",
    "OutcomeUnknown",
    "ParkPolicy",
    "PluginError",
    "PregelTask",
    "ProgramChanged",
    "RatePolicy",
    "Receipt",
    "ResumeError",
    "RetryPolicy",
    "RunControl",
    "RunInfo",
    "RunParked",
    "RunView",
    "Runtime",
    "SearchItem",
    "SqliteCache",
    "SqliteSaver",
    "SqliteStorage",
    "SqliteStore",
    "StateSnapshot",
    "StepFailed",
    "StepInfo",
    "StepPolicy",
    "StorageError",
    "StreamWriter",
    "Suspended",
    "Task",
    "ThreadBusy",
    "TimeoutPolicy",
    "UnknownRun",
    "add_messages",
    "entrypoint",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "hookimpl",
    "idempotency_key",
    "interrupt",
    "policy",
    "task",
    "wrap",
]
LENT = [
    "AsyncPostgresSaver",
    "PostgresCache",
    "PostgresSaver",
    "PostgresStorage",
    "PostgresStore",
]
NO_NAMES = {"TYPE_CHECKING", "annotations"}
HEAVY = {
    "autogen_agentchat",
    "autogen_core",
    "autogen_ext",
    "click",
    "crewai",
    "genai_prices",
    "langchain_core",
    "langgraph",
    "openai",
    "psycopg",
    "pydantic",
    "rich",
}


def test_the_public_names_are_these():
    """A name comes or goes on purpose: this list and the changelog change with it."""
    assert durably.__all__ == NAMES
    assert sorted(NAMES) == NAMES


def test_what_is_listed_is_what_is_there():
    """Nothing public is left out of ``__all__``, and nothing in it is missing."""
    public = {
        name
        for name, value in vars(durably).items()
        if not (name.startswith("_") or name in NO_NAMES or isinstance(value, ModuleType))
    }
    assert public - set(durably.__all__) == set()
    assert [name for name in durably.__all__ if not hasattr(durably, name)] == []


def test_public_names_say_where_to_import_them_from():
    """Tracebacks and ``help`` name ``durably``, not a room inside it."""
    values = {name: getattr(durably, name) for name in durably.__all__}
    made_here = {
        name: value.__module__
        for name, value in values.items()
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    assert len(made_here) > 30
    assert {name: module for name, module in made_here.items() if module != "durably"} == {}


@pytest.mark.parametrize(
    "module",
    ["durably", "durably.adapting", "durably.errors", "durably.storage", "durably.types"],
)
def test_importing_durably_is_light(module):
    """A fresh interpreter imports neither a framework nor anything else that is slow."""
    code = f"import sys, {module}; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()


@pytest.mark.skipif(
    not entry_points(group="durably", name="postgres"),
    reason="installed before the plug-in was there; install the checkout again",
)
def test_names_that_a_plug_in_lends_are_these():
    """They are found when asked for, and stay out of star imports, which need no extra."""
    assert sorted(durably._LENT) == LENT
    assert set(LENT) & set(durably.__all__) == set()
    assert {name: getattr(durably, name).__name__ for name in LENT} == {name: name for name in LENT}
    with pytest.raises(AttributeError, match="'durably' has no attribute 'Postgres'"):
        _ = durably.Postgres


@pytest.mark.parametrize(
    "package",
    ["durably_autogen", "durably_cost", "durably_crewai", "durably_postgres", "durably_webhook"],
)
def test_importing_a_plug_in_is_light(package):
    """A plug-in imports no framework when it is imported, as it is whenever durably starts."""
    code = f"import sys, {package}; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
