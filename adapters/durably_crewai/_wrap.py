"""How wrapped crews, agents and flows are recognised and run, and left as they were found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from durably.adapting import Entry, Run, live_scope
from durably.errors import Suspended

from ._spans import crew_span
from .flows._copies import FlowLending

_KINDS = ("Crew", "Flow", "Agent", "LiteAgent")

_STREAMS = frozenset(
    {"CrewStreamingOutput", "FlowStreamingOutput", "StreamSession", "AsyncStreamSession"}
)
"""Classes of what a kickoff returns at once when it streams."""

_TASK_TEXTS = ("description", "expected_output", "output_file", "name")
_AGENT_TEXTS = ("role", "goal", "backstory")
_TASK_COUNTS = ("used_tools", "tools_errors", "delegations", "retry_count")
_AGENT_COUNTS = ("_times_executed", "agent_executor")
_EXECUTOR_COUNTS = ("messages",)
"""Before CrewAI 1.14 an agent goes on with what it was told before."""


def kind_of(target: object) -> str | None:
    """Return which kind of CrewAI object *target* is; looks at names only, imports nothing."""
    for cls in type(target).__mro__:
        if cls.__module__.partition(".")[0] == "crewai" and cls.__name__ in _KINDS:
            return cls.__name__
    return None


def entry_of(target: Any) -> Entry:
    """Return how *target* is run: a crew or flow with inputs, an agent with messages."""
    kind = kind_of(target)
    if kind == "Crew":
        return _crew_entry(target)
    if kind == "Flow":
        return _flow_entry(target)
    role = _original(target, "role")
    return Entry(f"crewai:{kind}", target.kickoff, target.kickoff_async, role, f"crewai:{kind}")


def _crew_entry(crew: Any) -> Entry:
    lend = _Lending(crew)

    def invoke(given: Any) -> Any:
        inputs = _inputs(given)
        with lend.crew() as one, _in_span(one):
            return _drained(one.kickoff(inputs=inputs))

    async def ainvoke(given: Any) -> Any:
        inputs = _inputs(given)
        with lend.crew() as one, _in_span(one):
            begin: Callable[..., Any] = getattr(one, "akickoff", one.kickoff_async)
            return await _adrained(await begin(inputs=inputs))

    return Entry("crewai:Crew", invoke, ainvoke, _crew_title(crew), "crewai:Crew")


def _flow_entry(flow: Any) -> Entry:
    lend = FlowLending(flow)

    def invoke(given: Any) -> Any:
        inputs = _inputs(given)
        with lend.flow(_run()) as lent:
            result = _drained(lent.flow.kickoff(inputs=inputs))
            lent.keep()
            return result

    async def ainvoke(given: Any) -> Any:
        inputs = _inputs(given)
        with lend.flow(_run()) as lent:
            result = await _adrained(await lent.flow.kickoff_async(inputs=inputs))
            lent.keep()
            return result

    former = f"crewai:{type(flow).__qualname__}"
    return Entry("crewai:Flow", invoke, ainvoke, _flow_title(flow), former)


def _crew_title(crew: Any) -> str:
    """Return a crew's name, or its agents' roles as they are before inputs come into them."""
    name = str(getattr(crew, "name", None) or "")
    if name and name != type(crew).model_fields["name"].default:
        return name
    return ", ".join(_original(agent, "role") for agent in _agents(crew)) or name


def _flow_title(flow: Any) -> str:
    cls = type(flow)
    # A flow made from a declaration is of CrewAI's own class.
    declared = cls.__module__.partition(".")[0] == "crewai"
    return str(getattr(flow, "name", None) or "") if declared else cls.__qualname__


def _original(agent: Any, name: str) -> str:
    """Return a text of an agent as it was before inputs were written into it."""
    return str(getattr(agent, f"_original_{name}", None) or getattr(agent, name)).strip()


def _run() -> Run:
    scope = live_scope()
    assert scope is not None
    return scope.run


@contextmanager
def _in_span(crew: Any) -> Generator[None]:
    # The run is this crew's alone: its lane needs nothing else to tell it apart.
    scope = live_scope()
    if scope is None or getattr(crew, "stream", False):
        yield
        return
    with crew_span(scope, crew):
        yield


def _inputs(given: Any) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        return given
    raise TypeError(
        f"a crew or flow is invoked with its inputs, a mapping of names to values, not {given!r}"
    )


def _drained(output: Any) -> Any:
    """Return the result of a crew or flow that streams, once it has been streamed."""
    if type(output).__name__ not in _STREAMS:
        return output
    for _ in output:
        pass
    return output.result


async def _adrained(output: Any) -> Any:
    if type(output).__name__ not in _STREAMS:
        return output
    async for _ in output:
        pass
    return output.result


class _Lending:
    """Lends one crew to one run at a time; runs that come meanwhile get copies.

    A crew keeps its run's state on itself, which is why ``kickoff_for_each`` copies it too.
    """

    def __init__(self, crew: Any) -> None:
        self._crew = crew
        self._free = threading.Lock()
        self._spare: Any = None
        self._why_none = ""
        self._is_settled = threading.Event()

    @contextmanager
    def crew(self) -> Generator[Any]:
        """Lend the crew, and put back what a kickoff leaves changed on it."""
        if not self._free.acquire(blocking=False):
            yield self._copy()
            return
        try:
            self._keep_spare()
            with _left_as_found(self._crew):
                yield self._crew
        finally:
            self._free.release()

    def _keep_spare(self) -> None:
        """Copy the crew while nothing is written into it; a copy made later would hold inputs."""
        if self._spare is None:
            try:
                self._spare = self._crew.copy()
            except Exception as error:  # needed only if runs do meet
                self._why_none = f"{type(error).__name__}: {error}"
        self._is_settled.set()

    def _copy(self) -> Any:
        self._is_settled.wait()  # the run that holds the crew is copying it
        if self._spare is None:
            raise RuntimeError(
                "another run is using this crew, and CrewAI cannot copy it "
                f"({self._why_none}). Wrap a crew of its own for each "
                "run, or wait for the other run."
            )
        return self._spare.copy()


@contextmanager
def _left_as_found(crew: Any) -> Generator[None]:
    """Undo what a kickoff changes on a crew and would bring into the next one.

    Inputs and plans are written into the texts of tasks and agents: these are put back always.
    Counters and conversations go on after a run that is done, as in CrewAI; an unfinished run will
    be replayed from the top and counts again.
    """
    agents = _agents(crew)
    executors = [getattr(agent, "agent_executor", None) for agent in agents]
    texts = [*_kept(crew.tasks, _TASK_TEXTS), *_kept(agents, _AGENT_TEXTS)]
    counts = [*_kept(crew.tasks, _TASK_COUNTS), *_kept(agents, _AGENT_COUNTS)]
    counts += _kept(executors, _EXECUTOR_COUNTS)
    totals = [(model._token_usage, dict(model._token_usage)) for model in _models(crew)]
    try:
        yield
    except (Exception, Suspended):
        for owner, name, value in counts:
            setattr(owner, name, value)
        for counters, before in totals:
            counters.update(before)
        raise
    finally:
        for owner, name, value in texts:
            setattr(owner, name, value)


def _kept(owners: Iterable[Any], names: Iterable[str]) -> Iterator[tuple[Any, str, Any]]:
    for owner in owners:
        for name in names:
            if hasattr(owner, name):
                value = getattr(owner, name)
                yield owner, name, value.copy() if isinstance(value, list) else value


def _agents(crew: Any) -> list[Any]:
    """Return the crew's agents, those that only a task or the crew itself names included."""
    found = [*crew.agents, *(task.agent for task in crew.tasks), crew.manager_agent]
    unique = {id(agent): agent for agent in found if agent is not None}
    return list(unique.values())


def _models(crew: Any) -> list[Any]:
    found: dict[int, Any] = {}
    for agent in _agents(crew):
        for name in ("llm", "function_calling_llm"):
            model = vars(agent).get(name)  # reading a deprecated field would warn
            if isinstance(getattr(model, "_token_usage", None), dict):
                found[id(model._token_usage)] = model
    return list(found.values())
