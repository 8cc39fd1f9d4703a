"""What an adapter's author uses: the table of seams, the scope they act in, and value codecs.

Example:
    >>> def call(scope, original, self, prompt):
    ...     step = Call("model", self.name, {"prompt": prompt})
    ...     return scope.step(step, lambda: original(self, prompt))
    >>> class MyAdapter(Adapter):
    ...     name = "mine"
    ...     distribution = "my-framework"
    ...     seams = (Seam("my.llm:LLM.call", "model", call, "paid calls are repeated"),)
    >>> from durably import hookimpl
    >>> @hookimpl
    ... def register_adapters():
    ...     return [MyAdapter()]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine import Call as Call
from ..engine import Recorded as Recorded
from ..engine import Review as Review
from ..engine import Run as Run
from ..engine import Scope as Scope
from ..engine import Step as Step
from ..engine import context_of as context_of
from ..engine import fingerprint as fingerprint
from ..errors import Suspended as Suspended
from ..journal import Codec as Codec
from ..journal import TypeCodec as TypeCodec
from ..journal import without_secrets as without_secrets
from ..policies import policy_of as policy_of
from ._adapter import Adapter as Adapter
from ._adapter import Around as Around
from ._adapter import Entry as Entry
from ._adapter import Problem as Problem
from ._adapter import Seam as Seam
from ._compatibility import in_range as in_range
from ._compatibility import installed_version as installed_version
from ._import_hook import activate as activate
from ._import_hook import deactivate as deactivate
from ._metadata import call_label as call_label
from ._metadata import supported_versions as supported_versions
from ._patches import is_gated as is_gated
from ._patches import is_in as is_in
from ._patches import problem as problem
from ._patches import problems as problems
from ._patches import refresh as refresh
from ._patches import uninstall as uninstall
from ._replacement import live_scope as live_scope
from ._terminal import TerminalAdapter as TerminalAdapter
from ._thread_memory import recall as recall
from ._thread_memory import remember as remember
from ._threads import ThreadsAdapter as ThreadsAdapter

if TYPE_CHECKING:
    from ..markers import hookimpl as hookimpl
else:

    def __getattr__(name: str) -> object:
        """Import pluggy for those only who mark a hook."""
        if name == "hookimpl":
            from ..markers import hookimpl

            return hookimpl
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
