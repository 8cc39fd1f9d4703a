"""The Functional API: entrypoints, tasks, questions."""

from __future__ import annotations

from ._asking import get_stream_writer as get_stream_writer
from ._asking import idempotency_key as idempotency_key
from ._asking import interrupt as interrupt
from ._entrypoint import Entrypoint as Entrypoint
from ._entrypoint import Final as Final
from ._entrypoint import entrypoint as entrypoint
from ._task import Task as Task
from ._task import task as task
