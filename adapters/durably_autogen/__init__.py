"""The adapter for AutoGen: agents and teams of ``autogen-agentchat``, unchanged, become durable.

A table of seams, by job:

    _models       every chat completion client's calls: steps
    _clients      what a model call leaves behind in its client
    _tools        workbenches and tools: steps
    _code         code execution: steps
    _memory       memories that lie elsewhere: steps
    _human        UserProxyAgent: questions
    _spans        team runs and agents' turns: spans; who speaks next
    _custom_agents custom agents' turns without a step inside: steps; _object_state: their state
    _unwind_targets how a run gets out of a framework that hangs on exceptions
    _ids          messages' ids and times, the same on replay
    _values       values that are more than their fields
    _entry        how a wrapped object is run, and with which conversation
    threads       what it was told, taken from it and put back; one object for many runs
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from durably.adapting import Adapter, Entry, Seam, TypeCodec, hookimpl, supported_versions

from . import _code, _entry, _human, _ids, _memory, _models, _spans, _tools, _values
from . import _unwind_targets as _unwinding
from .threads import _loans


class AutoGenAdapter(Adapter):
    """AutoGen 0.6 and 0.7."""

    name: ClassVar[str] = "autogen"
    distribution: ClassVar[str] = "autogen-agentchat"
    requires: ClassVar[str] = supported_versions("autogen-agentchat", ">=0.6,<0.8")
    seams: ClassVar[Sequence[Seam]] = (
        *_models.SEAMS,
        *_tools.SEAMS,
        *_code.SEAMS,
        *_memory.SEAMS,
        *_human.SEAMS,
        *_spans.SEAMS,
        *_loans.SEAMS,
    )
    codecs: ClassVar[Sequence[TypeCodec[Any]]] = _values.CODECS
    allow: ClassVar[Sequence[str]] = _values.ALLOW

    def installed(self) -> None:
        """Put in what is no function: stand-ins for ids and times, and the log filter."""
        _ids.stand_in()
        _unwinding.quieten()

    def uninstalled(self) -> None:
        """Take those out."""
        _ids.step_down()
        _unwinding.unquieten()

    def claims(self, target: object) -> bool:
        """Say whether *target* is an AutoGen agent or team."""
        return _entry.claims(target)

    def entry(self, target: Any) -> Entry:
        """Return how a run of an agent or a team is begun."""
        return _entry.entry(target)


@hookimpl
def register_adapters() -> list[Adapter]:
    """Give durably the adapter."""
    return [AutoGenAdapter()]
