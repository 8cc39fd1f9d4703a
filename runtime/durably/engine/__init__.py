"""One run: lanes and identity, replay or call, retry, questions, parking, order, streams."""

from __future__ import annotations

from ._asking import DEADLINE as DEADLINE
from ._asking import interrupt_of as interrupt_of
from ._call import Call as Call
from ._clock import Clock as Clock
from ._clock import SystemClock as SystemClock
from ._context import current as current
from ._context import scope_var as scope_var
from ._deadline import Deadline as Deadline
from ._deadline import acall_within as acall_within
from ._deadline import call_within as call_within
from ._dormant import Dormant as Dormant
from ._dormant import drive_when_used as drive_when_used
from ._driving import Outcome as Outcome
from ._driving import adrive as adrive
from ._driving import announce as announce
from ._driving import conclude as conclude
from ._driving import drive as drive
from ._driving import drive_in_thread as drive_in_thread
from ._gates import Gate as Gate
from ._gates import Instead as Instead
from ._gates import Served as Served
from ._gates import Terms as Terms
from ._gates import Way as Way
from ._identity import differences as differences
from ._identity import fingerprint as fingerprint
from ._interleaving import Recorded as Recorded
from ._lane import Lane as Lane
from ._options import Answer as Answer
from ._options import Extension as Extension
from ._options import Options as Options
from ._options import plain_terms as plain_terms
from ._parking import Targets as Targets
from ._parking import context_of as context_of
from ._past import Past as Past
from ._program import Sources as Sources
from ._program import changed_files as changed_files
from ._run import Run as Run
from ._run import Sink as Sink
from ._scope import Scope as Scope
from ._step import Step as Step
