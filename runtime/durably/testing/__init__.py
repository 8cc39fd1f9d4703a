"""The test kit: a scripted model server, time under control, and kills at chosen moments.

Example:
    >>> rules = [Rule(When(user="capital of France"), Reply.text("Paris"))]
    >>> with ModelServer(rules) as server:  # doctest: +SKIP
    ...     run_program(OPENAI_BASE_URL=server.url)
    ...     assert server.count() == 1
"""

from __future__ import annotations

from .crash_matrix import KillAfter as KillAfter
from .crash_matrix import KillingStorage as KillingStorage
from .crash_matrix import Report as Report
from .crash_matrix import crash_matrix as crash_matrix
from .crash_matrix import kill_at as kill_at
from .crash_matrix import kills_asked_for as kills_asked_for
from .fake_clock import FakeClock as FakeClock
from .model_server.model import load_requests as load_requests
from .model_server.reply import Failure as Failure
from .model_server.reply import Reply as Reply
from .model_server.reply import ToolCall as ToolCall
from .model_server.request import Request as Request
from .model_server.request import ToolResult as ToolResult
from .model_server.script import NoRuleMatched as NoRuleMatched
from .model_server.script import Rule as Rule
from .model_server.script import Script as Script
from .model_server.script import When as When
from .model_server.script import dump_rules as dump_rules
from .model_server.script import load_rules as load_rules
from .model_server.server import ModelServer as ModelServer
from .stopping_storage import StoppingStorage as StoppingStorage
