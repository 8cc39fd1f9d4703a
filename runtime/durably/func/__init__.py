"""The Functional API: entrypoints, tasks, questions, state, checkpointers."""

from __future__ import annotations

from ._asking import idempotency_key as idempotency_key
from ._asking import interrupt as interrupt
from ._entry import Entrypoint as Entrypoint
from ._entrypoint import Final as Final
from ._entrypoint import entrypoint as entrypoint
from ._messages import add_messages as add_messages
from ._runtime import ExecutionInfo as ExecutionInfo
from ._runtime import RunControl as RunControl
from ._runtime import Runtime as Runtime
from ._runtime import get_config as get_config
from ._runtime import get_runtime as get_runtime
from ._runtime import get_store as get_store
from ._runtime import get_stream_writer as get_stream_writer
from ._savers import AsyncSqliteSaver as AsyncSqliteSaver
from ._savers import InMemorySaver as InMemorySaver
from ._savers import SqliteSaver as SqliteSaver
from ._task import Task as Task
from ._task import task as task
