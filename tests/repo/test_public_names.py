"""What ``import durably`` offers is decided, complete, and cheap."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib.metadata import entry_points
from types import ModuleType

import pytest

import durably
import durably_postgres

from .test_layers import packages
from .tree import python_files

NAMES = [
    "AdapterMismatch",
    "Answer",
    "AnswerRefused",
    "ApprovalPolicy",
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
    "EncodeError",
    "Entrypoint",
    "Extension",
    "Host",
    "InMemoryCache",
    "InMemorySaver",
    "InMemoryStore",
    "Inbox",
    "Interrupt",
    "JournalCorrupt",
    "JournalError",
    "JournalTooNew",
    "LaunchError",
    "LeaseLost",
    "Listener",
    "Match",
    "MemoryStorage",
    "NodeCancelledError",
    "NodeTimeoutError",
    "OutcomeUnknown",
    "ParkPolicy",
    "PluginError",
    "ProgramChanged",
    "RatePolicy",
    "Receipt",
    "ResumeError",
    "RetryPolicy",
    "RunInfo",
    "RunParked",
    "RunView",
    "Runtime",
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
PARITY = [
    "AsyncSqliteSaver",
    "EmbeddingError",
    "ExecutionInfo",
    "GraphDrained",
    "GraphOutput",
    "InvalidNamespaceError",
    "Item",
    "PregelTask",
    "RunControl",
    "SearchItem",
]
"""Names that few programs use, kept so that an import from LangGraph works unchanged."""
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
    assert sorted(durably_postgres._HOMES) == LENT
    assert set(LENT) & set(durably.__all__) == set()
    assert {name: getattr(durably, name).__name__ for name in LENT} == {name: name for name in LENT}
    with pytest.raises(AttributeError, match="'durably' has no attribute 'Postgres'"):
        _ = durably.Postgres


@pytest.mark.parametrize("name", PARITY)
def test_a_name_of_langgraph_is_found_when_a_program_imports_it(name):
    """A change of the import line is enough; neither ``dir`` nor a star import shows the name."""
    assert sorted(durably._PARITY) == PARITY
    assert name not in durably.__all__
    assert name not in vars(durably)
    value = getattr(durably, name)
    assert (value.__module__, value.__name__) == ("durably", name)


def test_no_module_of_durably_names_a_plug_in():
    """Names lent by a plug-in come through its hook: the runtime does not know which there are."""
    held = {
        path.name: found
        for path in python_files("runtime")
        for found in re.findall(r"durably_[a-z]+", path.read_text(encoding="utf-8"))
        if found in packages("plugins") | packages("adapters")
    }
    assert held == {}


@pytest.mark.parametrize(
    "package",
    ["durably_autogen", "durably_cost", "durably_crewai", "durably_postgres", "durably_webhook"],
)
def test_importing_a_plug_in_is_light(package):
    """A plug-in imports no framework when it is imported, as it is whenever durably starts."""
    code = f"import sys, {package}; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
