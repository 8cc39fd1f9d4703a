"""Makes any agent program durable without changing its code.

General layout: a room imports only rooms below it (checked by import-linter).

    cli                commands
    testing            the public test kit
    func               @entrypoint, @task, interrupt
    hosting            a host for runs, wrap(), launched scripts
    adapting           what an adapter's author uses
    policies           what users put around steps
    engine             one run: replay or call
    hooks              what plug-ins add
    store, caching     long-term memory; step caches
    journal            facts: records, storages, codec
    people             questions to people, answers, other clients' words
    types, errors      the values and errors that users see

This module imports no framework, no langchain-core and no pydantic.
"""

from __future__ import annotations

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
from .errors import EmbeddingError as EmbeddingError
from .errors import EncodeError as EncodeError
from .errors import GraphDrained as GraphDrained
from .errors import InvalidNamespaceError as InvalidNamespaceError
from .errors import JournalCorrupt as JournalCorrupt
from .errors import JournalError as JournalError
from .errors import JournalTooNew as JournalTooNew
from .errors import LaunchError as LaunchError
from .errors import LeaseLost as LeaseLost
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
from .functional import AsyncSqliteSaver as AsyncSqliteSaver
from .functional import Entrypoint as Entrypoint
from .functional import ExecutionInfo as ExecutionInfo
from .functional import InMemorySaver as InMemorySaver
from .functional import RunControl as RunControl
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
from .hooks import Listener as Listener
from .hooks import lent as _lent
from .hosting import Durable as Durable
from .hosting import Host as Host
from .hosting import Inbox as Inbox
from .hosting import Receipt as Receipt
from .hosting import wrap as wrap
from .journal import MemoryStorage as MemoryStorage
from .journal import SqliteStorage as SqliteStorage
from .policies import Match as Match
from .policies import policy as policy
from .store import BaseStore as BaseStore
from .store import InMemoryStore as InMemoryStore
from .store import Item as Item
from .store import SearchItem as SearchItem
from .store import SqliteStore as SqliteStore
from .types import ApprovalPolicy as ApprovalPolicy
from .types import Budget as Budget
from .types import CachePolicy as CachePolicy
from .types import Command as Command
from .types import GraphOutput as GraphOutput
from .types import Interrupt as Interrupt
from .types import ParkPolicy as ParkPolicy
from .types import PregelTask as PregelTask
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
    from durably_postgres import AsyncPostgresSaver as AsyncPostgresSaver
    from durably_postgres import PostgresCache as PostgresCache
    from durably_postgres import PostgresSaver as PostgresSaver
    from durably_postgres import PostgresStorage as PostgresStorage
    from durably_postgres import PostgresStore as PostgresStore

    from .hooks import hookimpl as hookimpl

__all__ = [
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

# Not in __all__: a star import must not need what only an extra installs.
_LENT = {
    "AsyncPostgresSaver": "postgres",
    "PostgresCache": "postgres",
    "PostgresSaver": "postgres",
    "PostgresStorage": "postgres",
    "PostgresStore": "postgres",
}

if not TYPE_CHECKING:  # with it in sight, type checkers would take every name for one of ours

    def __getattr__(name: str) -> object:
        if name in _LENT:
            return _lent(_LENT[name], name)
        if name == "hookimpl":  # for those only who mark a hook: it takes pluggy to do so
            from .hooks import hookimpl

            return hookimpl
        raise AttributeError(f"module 'durably' has no attribute {name!r}")


def _claim_names() -> None:
    """Have public names say ``durably``, so that tracebacks show what one imports."""
    for name in __all__:
        value = globals().get(name)
        if getattr(value, "__module__", "").startswith("durably."):
            value.__module__ = "durably"


_claim_names()
