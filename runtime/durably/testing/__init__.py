"""The test kit: a scripted model server, time under control, and kills at chosen moments.

Example:
    >>> rules = [Rule(When(user="capital of France"), Reply.text("Paris"))]
    >>> with ModelServer(rules) as server:  # doctest: +SKIP
    ...     run_program(OPENAI_BASE_URL=server.url)
    ...     assert server.count() == 1
"""

from __future__ import annotations

from ._clock import FakeClock as FakeClock
from ._crash import KillAfter as KillAfter
from ._crash import KillingStorage as KillingStorage
from ._crash import Report as Report
from ._crash import crash_matrix as crash_matrix
from ._crash import kill_at as kill_at
from ._crash import kills_asked_for as kills_asked_for
from ._model import load_requests as load_requests
from ._reply import Failure as Failure
from ._reply import Reply as Reply
from ._reply import ToolCall as ToolCall
from ._request import Request as Request
from ._request import ToolResult as ToolResult
from ._script import NoRuleMatched as NoRuleMatched
from ._script import Rule as Rule
from ._script import Script as Script
from ._script import When as When
from ._script import dump_rules as dump_rules
from ._script import load_rules as load_rules
from ._server import ModelServer as ModelServer
from ._stopping import StoppingStorage as StoppingStorage
