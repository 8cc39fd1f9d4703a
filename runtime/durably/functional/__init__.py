"""The Functional API: entrypoints, tasks, questions, state, checkpointers."""

from __future__ import annotations

from .current import get_config as get_config
from .current import get_runtime as get_runtime
from .current import get_store as get_store
from .current import get_stream_writer as get_stream_writer
from .entrypoint.decorator import entrypoint as entrypoint
from .entrypoint.entrypoint import Entrypoint as Entrypoint
from .interrupt import idempotency_key as idempotency_key
from .interrupt import interrupt as interrupt
from .langchain.add_messages import add_messages as add_messages
from .runtime import ExecutionInfo as ExecutionInfo
from .runtime import RunControl as RunControl
from .runtime import Runtime as Runtime
from .state.savers import AsyncSqliteSaver as AsyncSqliteSaver
from .state.savers import InMemorySaver as InMemorySaver
from .state.savers import SqliteSaver as SqliteSaver
from .tasks.task import Task as Task
from .tasks.task import task as task
