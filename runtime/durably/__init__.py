"""Makes any agent program durable without changing its code.

A room imports only the rooms below it; import-linter checks the order.

    cli                commands
    testing            the public test kit
    functional         @entrypoint, @task, interrupt
    hosting            a host for runs, wrap(), launched scripts
    hooks              plug-ins: specifications, discovery, calls
    adapting           adapters: seams, patches, scope
    policies           rules around steps: retries, limits, budgets, caches
    engine             one run: replay or execution
    storage            what the author of a storage uses
    store, caching     long-term memory; step caches
    journal            records, storages, codec
    listeners, people  watchers of runs; questions to people and their answers
    types, errors      the values and errors that users see

This module imports no framework, no langchain-core and no pydantic.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING

from .caching import InMemoryCache as InMemoryCache
from .caching import SqliteCache as SqliteCache
from .engine import Answer as Answer
from .engine import Extension as Extension
from .errors import AdapterMismatch as AdapterMismatch
from .errors import AnswerRefused as AnswerRefused
from .errors import BudgetExceeded as BudgetExceeded
from .errors import CallRejected as CallRejected
from .errors import CodecError as CodecError
from .errors import ConfigError as ConfigError
from .errors import DecodeError as DecodeError
from .errors import DurablyError as DurablyError
from .errors import EncodeError as EncodeError
from .errors import JournalCorrupt as JournalCorrupt
from .errors import JournalError as JournalError
from .errors import JournalTooNew as JournalTooNew
from .errors import LaunchError as LaunchError
from .errors import LeaseLost as LeaseLost
from .errors import NodeCancelledError as NodeCancelledError
from .errors import NodeTimeoutError as NodeTimeoutError
from .errors import OutcomeUnknown as OutcomeUnknown
from .errors import PluginError as PluginError
from .errors import ProgramChanged as ProgramChanged
from .errors import ResumeError as ResumeError
from .errors import RunParked as RunParked
from .errors import StepFailed as StepFailed
from .errors import StorageError as StorageError
from .errors import Suspended as Suspended
from .errors import ThreadBusy as ThreadBusy
from .errors import UnknownRun as UnknownRun
from .functional import Entrypoint as Entrypoint
from .functional import InMemorySaver as InMemorySaver
from .functional import Runtime as Runtime
from .functional import SqliteSaver as SqliteSaver
from .functional import Task as Task
from .functional import add_messages as add_messages
from .functional import entrypoint as entrypoint
from .functional import get_config as get_config
from .functional import get_runtime as get_runtime
from .functional import get_store as get_store
from .functional import get_stream_writer as get_stream_writer
from .functional import idempotency_key as idempotency_key
from .functional import interrupt as interrupt
from .functional import task as task
from .hosting import Durable as Durable
from .hosting import Host as Host
from .hosting import Inbox as Inbox
from .hosting import Receipt as Receipt
from .hosting import wrap as wrap
from .journal import MemoryStorage as MemoryStorage
from .journal import SqliteStorage as SqliteStorage
from .listeners import Listener as Listener
from .policies import Match as Match
from .policies import policy as policy
from .store import BaseStore as BaseStore
from .store import InMemoryStore as InMemoryStore
from .store import SqliteStore as SqliteStore
from .types import ApprovalPolicy as ApprovalPolicy
from .types import Budget as Budget
from .types import CachePolicy as CachePolicy
from .types import Command as Command
from .types import Interrupt as Interrupt
from .types import ParkPolicy as ParkPolicy
from .types import RatePolicy as RatePolicy
from .types import RetryPolicy as RetryPolicy
from .types import RunInfo as RunInfo
from .types import RunView as RunView
from .types import StateSnapshot as StateSnapshot
from .types import StepInfo as StepInfo
from .types import StepPolicy as StepPolicy
from .types import StreamWriter as StreamWriter
from .types import TimeoutPolicy as TimeoutPolicy

if TYPE_CHECKING:
    from .errors import EmbeddingError as EmbeddingError
    from .errors import GraphDrained as GraphDrained
    from .errors import InvalidNamespaceError as InvalidNamespaceError
    from .functional import AsyncSqliteSaver as AsyncSqliteSaver
    from .functional import ExecutionInfo as ExecutionInfo
    from .functional import RunControl as RunControl
    from .markers import hookimpl as hookimpl
    from .store import Item as Item
    from .store import SearchItem as SearchItem
    from .types import GraphOutput as GraphOutput
    from .types import PregelTask as PregelTask

__all__ = [
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

_PARITY = {
    "AsyncSqliteSaver": "functional",
    "EmbeddingError": "errors",
    "ExecutionInfo": "functional",
    "GraphDrained": "errors",
    "GraphOutput": "types",
    "InvalidNamespaceError": "errors",
    "Item": "store",
    "PregelTask": "types",
    "RunControl": "functional",
    "SearchItem": "store",
}
"""Names that exist so that an import from LangGraph works unchanged, by the room of each."""

if not TYPE_CHECKING:  # with it in sight, type checkers would take every name for one of ours

    def __getattr__(name: str) -> object:
        """Return a name that few programs import, or one that a plug-in lends."""
        if name in _PARITY:
            return getattr(_room(_PARITY[name]), name)
        if name == "hookimpl":  # only a plug-in marks a hook, and pluggy takes time to import
            from .markers import hookimpl

            return hookimpl
        if name.startswith("_"):  # a probe by Python or a tool: no plug-in is loaded for it
            raise AttributeError(f"module 'durably' has no attribute {name!r}")
        from .hooks import lent

        return lent(name)


def _room(name: str) -> _ModuleType:
    return _import_module(f".{name}", __name__)


def _claim_names() -> None:
    """Set the module of public classes and functions to ``durably``, which users import."""
    values = [globals().get(name) for name in __all__]
    values += [getattr(_room(home), name) for name, home in _PARITY.items()]
    for value in values:
        if getattr(value, "__module__", "").startswith("durably."):
            value.__module__ = "durably"


_claim_names()
