"""Flows as spans: where a run of one begins, what it began with, what runs beside what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from durably.adapting import Call, Recorded, Scope, fingerprint

from .._spans import on_main_line
from ._finish_order import Ends
from ._given import flow_content, plain_defaults, resumed_content
from ._state import is_data, restore_state, state_of

_KEY = 6
_ID = "id"
_BY_CONTENT = 2
"""From which rule of identity on lanes are named by their content."""


class Running:
    """One kickoff of a flow of the user's.

    Attributes:
        flow: The flow.
        lane: Path of its lane; the group of its methods' order points.
        outer: The kickoff whose method began this one, if any.
        recorded: Its methods that the journal holds as finished, by name and ordinal.
        interleaving: What keeps methods that are executed again where they were.
        found: The state that each method which is being executed found, as the journal would hold
            it, by lane.
        ends: Its methods whose code is over.
        at_work: How many methods have begun and do not wait for their turn to be finished.
        newest: Row of the newest state that came back.
    """

    def __init__(self, scope: Scope, flow: Any, outer: Running | None) -> None:
        self.flow = flow
        self.lane = scope.lane.path
        self.outer = outer
        self.recorded = {(one.name, one.ordinal): one for one in scope.recorded("task")}
        back = {one.row: one.value for one in self.recorded.values() if comes_back(one)}
        lanes = {value["lane"] for value in back.values()}
        self.interleaving = scope.interleaving(
            {
                row: {lane: steps for lane, steps in value["beside"].items() if lane not in lanes}
                for row, value in back.items()
            }
        )
        self.found: dict[str, bytes | None] = {}
        self.ends = Ends()
        self.at_work = 0
        self.newest = -1

    def chain(self) -> Generator[Running]:
        """Yield this kickoff and those around it."""
        one: Running | None = self
        while one is not None:
            yield one
            one = one.outer


_running: ContextVar[Running | None] = ContextVar("durably_crewai_running_flow", default=None)


def running(flow: Any) -> Running | None:
    """Return the kickoff of *flow* that the calling code is part of."""
    found = _running.get()
    while found is not None and found.flow is not flow:
        found = found.outer
    return found


def comes_back(method: Recorded) -> bool:
    """Say whether a method's record brings back what it did, so that it is not executed again."""
    return isinstance(method.value, Mapping) and "left" in method.value


def kickoff(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a flow for ``Flow.kickoff``, which runs ``kickoff_async`` in a loop of its own."""
    if _is_passage(scope, self):
        return original(self, *args, **kwargs)
    with _entered(scope, self, _given(args, kwargs)):
        return original(self, *args, **kwargs)


async def kickoff_async(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a flow for ``Flow.kickoff_async``."""
    if _is_passage(scope, self):
        return await original(self, *args, **kwargs)
    with _entered(scope, self, _given(args, kwargs)):
        return await original(self, *args, **kwargs)


def resume(scope: Scope, original: Callable[..., Any], self: Any, feedback: str = "") -> Any:
    """Enter a flow for ``Flow.resume``, which goes on after CrewAI's own pause."""
    if _is_passage(scope, self):
        return original(self, feedback)
    with _entered(scope, self, feedback, is_resumed=True):
        return original(self, feedback)


async def resume_async(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, feedback: str = ""
) -> Any:
    """Enter a flow for ``Flow.resume_async``."""
    if _is_passage(scope, self):
        return await original(self, feedback)
    with _entered(scope, self, feedback, is_resumed=True):
        return await original(self, feedback)


def _given(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return args[0] if args else kwargs.get("inputs")


@contextmanager
def _entered(scope: Scope, flow: Any, given: Any, *, is_resumed: bool = False) -> Generator[None]:
    """Enter a flow's lane, with the state that it began with the first time."""
    name = str(getattr(flow, "name", None) or type(flow).__name__)
    content = resumed_content(flow, given) if is_resumed else flow_content(flow, given)
    segment = former = f"flow:{name}"
    if not on_main_line():
        former = f"{former}:{fingerprint(given or {})[0].hex()[:_KEY]}"
    owner = _owner(flow)
    with scope.span("flow", name, segment, owner=owner, given=content, former=former) as inner:
        _begin(inner, flow, name)
        token = _running.set(Running(inner, flow, _running.get()))
        try:
            yield
        finally:
            _running.reset(token)


def _begin(scope: Scope, flow: Any, name: str) -> None:
    """Journal the state that a flow begins with: its id, and defaults made from time or chance.

    What the flow was given names its lane; so its defaults are restored, never compared. In an
    edited program those that stand in its source are the new ones.
    """
    began = state_of(flow)
    sources = plain_defaults(flow)
    if not is_data(scope, began):
        return
    request: Any = None
    if scope.run.past.identity < _BY_CONTENT:
        request = {"state": {key: value for key, value in began["fields"].items() if key != _ID}}

    def load(parts: Mapping[str, Any]) -> None:
        edited = sources if scope.run.program_changed() else frozenset[str]()
        now = {name: began["fields"][name] for name in edited}
        restore_state(flow, {**parts, "fields": {**parts["fields"], **now}})

    call = Call(
        "task",
        name,
        request,
        label=f"{name} begins",
        dump=lambda _: began,
        load=load,
        pure=True,
        adapter="crewai",
    )
    scope.step(call, lambda: began["fields"])


def _is_passage(scope: Scope, flow: Any) -> bool:
    """Say whether a kickoff is no flow of the user's, leads to another one, or only streams."""
    return is_internal(flow) or scope.lane.owner == _owner(flow) or bool(flow.stream)


def is_internal(flow: Any) -> bool:
    """Say whether a flow is CrewAI's own: it runs agents and memory as flows, too."""
    cls = type(flow)
    said = getattr(cls, "is_crewai_internal", None)
    if isinstance(said, bool):
        return said
    # A flow made from a declaration is of the class Flow itself.
    return cls.__module__.partition(".")[0] == "crewai" and cls.__name__ != "Flow"


def _owner(flow: Any) -> tuple[str, int]:
    return ("flow", id(flow))
