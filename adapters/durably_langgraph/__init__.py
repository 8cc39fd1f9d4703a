"""LangGraph, made durable: a compiled graph called inside a run is a step, and so are its nodes.

A table of seams, by job:

    _calls       a graph's ``invoke``, ``stream`` and their asynchronous forms: one step each
    _rounds      what such a step does: begin or go on, ask what the graph asks, resume it
    _lending     the checkpointer of a graph that has none
    _nodes       nodes and LangGraph's own tasks: steps inside that step
    _signals     LangGraph's exceptions that are no failures
    _parts       parts of streams; _tapping: those that ``invoke`` does not ask for
    _models      chat models of langchain-core: steps, wherever in a run they are called
    _tools       tools of langchain-core: steps, with a person asked before where a policy says so
    _ids         ids of messages, the same on replay
    _requests    what makes two inputs the same
    _entry       how a wrapped graph is run

A graph's own checkpointer is used as the program set it up, and resumed from if it still knows
the call. A graph without one is lent one that lasts for the call: in another process its finished
nodes come from our journal. Nothing of LangGraph is imported until a program does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from durably.adapting import Adapter, Entry, Seam, hookimpl, supported_versions

from . import _calls, _entry, _ids, _models, _nodes, _tools


class LangGraphAdapter(Adapter):
    """LangGraph 1.2 and later: state graphs and functional entrypoints."""

    name: ClassVar[str] = "langgraph"
    distribution: ClassVar[str] = "langgraph"
    requires: ClassVar[str] = supported_versions("langgraph", ">=1.2,<2")
    seams: ClassVar[Sequence[Seam]] = (
        *_calls.SEAMS,
        *_nodes.SEAMS,
        *_models.SEAMS,
        *_tools.SEAMS,
    )
    allow: ClassVar[Sequence[str]] = ("langgraph", "langchain_core")

    def installed(self) -> None:
        """Put in what is no function: the stand-in for messages' ids."""
        _ids.stand_in()

    def uninstalled(self) -> None:
        """Take it out."""
        _ids.step_down()

    def claims(self, target: object) -> bool:
        """Say whether *target* is a compiled graph or a LangGraph entrypoint."""
        return _entry.claims(target)

    def entry(self, target: Any) -> Entry:
        """Return how a run of a graph is begun: ``invoke``, on the run's own thread id."""
        return _entry.entry(target)


@hookimpl
def register_adapters() -> list[Adapter]:
    """Give durably the adapter."""
    return [LangGraphAdapter()]
