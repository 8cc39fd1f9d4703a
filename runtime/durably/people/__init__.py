"""Questions to people: the pending record, which answers fit it, and other clients' words for both.

Example:
    >>> question = Question(id="ab12", kind="tool_call", name="refund", args={"amount": 20})
    >>> as_human_interrupt(question)["action_request"]
    {'action': 'refund', 'args': {'amount': 20}}
    >>> decision_of([{"type": "accept", "args": None}])
    {'type': 'approve'}
"""

from __future__ import annotations

from ._decisions import decision_of as decision_of
from ._question import VERBS as VERBS
from ._question import Dialect as Dialect
from ._question import Question as Question
from ._question import QuestionKind as QuestionKind
from ._question import is_native as is_native
from ._question import question_of as question_of
from ._schemas import complaint as complaint
from ._validation import decision as decision
from ._validation import fitting as fitting
from ._views import answer_schema as answer_schema
from ._views import answers_of_ag_ui as answers_of_ag_ui
from ._views import answers_of_hitl as answers_of_hitl
from ._views import as_ag_ui_interrupt as as_ag_ui_interrupt
from ._views import as_ag_ui_outcome as as_ag_ui_outcome
from ._views import as_hitl_request as as_hitl_request
from ._views import as_human_interrupt as as_human_interrupt
from ._views import as_tool_approval as as_tool_approval
from ._views import described as described
