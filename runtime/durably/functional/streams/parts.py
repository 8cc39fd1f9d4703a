"""Stream parts of an entrypoint's run, in the shapes that LangGraph's functional programs see.

The engine tells of steps in its own words, with the lane as the place. Here they become parts of
the modes ``updates``, ``tasks``, ``custom``, ``messages``, ``values``, ``checkpoints`` and
``debug``, with LangGraph's namespaces.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from ...types import Interrupt, StateSnapshot
from .lane_namespaces import SEGMENT, Lanes, Namespace, Places, innermost
from .messages_mode import Messages

MODES = ("values", "updates", "custom", "messages", "tasks", "checkpoints", "debug")


class Part(NamedTuple):
    """One part of a stream."""

    mode: str
    namespace: Namespace
    data: Any
    interrupts: tuple[Interrupt, ...] = ()


Emit: TypeAlias = Callable[[Part], None]


class Teller:
    """Turns what happens in one run, or in one nested entrypoint, into parts.

    Args:
        modes: Which modes are asked for.
        subgraphs: Whether parts of nested entrypoints, and of steps inside tasks, are told too.
        emit: Takes the parts.
        metadata: The config's metadata and tags, told with each task.
    """

    def __init__(
        self,
        modes: Iterable[str],
        *,
        subgraphs: bool,
        emit: Emit,
        metadata: Mapping[str, Any],
    ) -> None:
        self.modes = frozenset(modes)
        self._subgraphs = subgraphs
        self._emit = emit
        self._metadata = dict(metadata)
        self._places = Places("", "")
        self._messages: Messages | None = None
        self._foreign: set[tuple[Lanes, str]] = set()
        self._step = -1

    @property
    def hold(self) -> Callable[[], Awaitable[None]] | None:
        """Waits while the consumer has too much to take; None where writing itself waits."""
        return getattr(self._emit, "hold", None)

    def take(self, mode: str, lanes: Lanes, data: Any) -> None:
        """Take what the engine tells of a step, or what a program writes."""
        if mode in ("updates", "tasks") and _is_nested_result(mode, data):
            return
        if mode == "tasks" and data.get("kind") != "task":
            self._foreign.add((lanes, data["name"]))
        if not self._is_shown(mode, lanes, data):
            return
        places = self._places
        if mode == "updates" and self._messages is not None:
            self._messages.returned(lanes, data)
        if mode == "tasks":
            data = self._task(data)
        in_its_own = mode == "messages" or (mode in ("updates", "tasks") and _is_functional(lanes))
        namespace = places.own(lanes) if in_its_own else places.around(lanes)
        self._tell(mode, namespace, data)
        if mode == "tasks":
            self._debug("task" if "input" in data else "task_result", namespace, data)

    def _is_shown(self, mode: str, lanes: Lanes, data: Any) -> bool:
        """Say whether a part is the entrypoint's own: what is inside a foreign step is not."""
        root = self._places.root
        if lanes[: len(root)] != root:
            return False
        if self._subgraphs:
            return True
        if innermost(lanes) > len(root):
            return False
        if mode == "tasks":
            return bool(data.get("kind") == "task")
        return mode != "updates" or not self._is_foreign(lanes, data)

    def _is_foreign(self, lanes: Lanes, update: Mapping[str, Any]) -> bool:
        """Say whether an update is that of a step inside a task, such as a model call."""
        return not _is_functional(lanes) or any((lanes, name) in self._foreign for name in update)

    def _task(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return a step's part as LangGraph tells of tasks."""
        identity = self._places.identity(tuple(str(told["id"]).split("/")))
        if "result" not in told:
            return self._started(identity, told["name"], _arguments(told), "__pregel_push")
        result = {"__return__": told["result"]} if told["error"] is None else {}
        return _task_result(identity, told["name"], result, error=told["error"])

    def _started(self, identity: str, name: str, given: Any, trigger: str) -> dict[str, Any]:
        part = {"id": identity, "name": name, "input": given, "triggers": (trigger,)}
        return {**part, "metadata": self._metadata} if self._metadata else part

    def is_about(self, run: str, name: str, lanes: Lanes = ()) -> None:
        """Learn whose parts are told: a run's, or those of the entrypoint nested at *lanes*."""
        self._places = Places(run, name, lanes)

    def heard_by(self, config: dict[str, Any]) -> None:
        """Have chat models that are called under *config* tell their tokens, if they are wanted."""
        if "messages" in self.modes:
            self._messages = Messages(self.take, self._places.path)
            config["callbacks"] = self._messages.joined(config.get("callbacks"))

    def began(
        self, name: str, given: Any, state: StateSnapshot | None = None, lanes: Lanes = ()
    ) -> None:
        """Tell that the entrypoint at *lanes* begins."""
        if not self._is_shown("values", lanes, None):
            return
        self._checkpoint(state)
        data = self._started(self._places.identity(lanes), name, given, "__start__")
        namespace = self._places.own(lanes)
        self._tell("tasks", namespace, data)
        self._debug("task", namespace, data)

    def resumed(self, values: Any) -> None:
        """Tell the value that the thread had before this continuation."""
        self._tell("values", (), values)

    def waits(
        self,
        name: str,
        interrupts: tuple[Interrupt, ...],
        lanes: Lanes = (),
        saved: Any = None,
    ) -> None:
        """Tell that the entrypoint at *lanes* waits for answers; *saved* is the thread's value."""
        if not self._is_shown("values", lanes, None):
            return
        namespace, asked = self._places.own(lanes), {"__interrupt__": interrupts}
        self._tell("updates", namespace, asked)
        values = {**(saved if isinstance(saved, dict) else {}), **asked}
        self._emit_if("values", Part("values", namespace, values, interrupts))
        told = [asdict(one) for one in interrupts]
        self._ended(lanes, _task_result("", name, {}, interrupts=told))

    def paused(self) -> None:
        """Tell that the run pauses at no question: the caller asked for it."""
        self._tell("updates", (), {"__interrupt__": ()})

    def failed(self, name: str, error: BaseException, lanes: Lanes = ()) -> None:
        """Tell what ended the entrypoint at *lanes*."""
        if self._is_shown("values", lanes, None):
            said = f"{type(error).__name__}: {error}"
            self._ended(lanes, _task_result("", name, {}, error=said))

    def done(
        self, name: str, value: Any, state: StateSnapshot | None = None, lanes: Lanes = ()
    ) -> None:
        """Tell what the entrypoint at *lanes* returned."""
        if not self._is_shown("values", lanes, None):
            return
        if self._messages is not None:
            self._messages.returned(lanes, {name: value})
        namespace = self._places.own(lanes)
        self._tell("updates", namespace, {name: value})
        self._ended(lanes, _task_result("", name, {"__end__": value}))
        self._tell("values", namespace, value)
        self._checkpoint(state)

    def _ended(self, lanes: Lanes, part: dict[str, Any]) -> None:
        namespace = self._places.own(lanes)
        data = {**part, "id": self._places.identity(lanes)}
        self._tell("tasks", namespace, data)
        self._debug("task_result", namespace, data)

    def _checkpoint(self, state: StateSnapshot | None) -> None:
        if state is None:
            return
        self._step = int((state.metadata or {}).get("step", self._step))
        data = {
            "config": state.config,
            "metadata": state.metadata,
            "values": state.values,
            "next": list(state.next),
            "parent_config": state.parent_config,
            "tasks": [
                {"id": one.id, "name": one.name, "interrupts": one.interrupts, "state": None}
                for one in state.tasks
            ],
        }
        self._tell("checkpoints", (), data)
        self._debug("checkpoint", (), data)

    def _debug(self, kind: str, namespace: Namespace, payload: Any) -> None:
        if "debug" not in self.modes:
            return
        step = self._step if kind == "checkpoint" else self._step + 1
        stamp = datetime.now(UTC).isoformat()
        self._tell(
            "debug",
            namespace,
            {"step": step, "timestamp": stamp, "type": kind, "payload": payload},
        )

    def _tell(self, mode: str, namespace: Namespace, data: Any) -> None:
        self._emit_if(mode, Part(mode, namespace, data))

    def _emit_if(self, mode: str, part: Part) -> None:
        if mode in self.modes:
            self._emit(part)


def _is_nested_result(mode: str, data: Any) -> bool:
    """Say whether a part tells of the step that records what a nested entrypoint returned."""
    names = [data["name"]] if mode == "tasks" else [*data]
    return any(str(name).startswith(SEGMENT) for name in names)


def _is_functional(lanes: Lanes) -> bool:
    """Say whether the innermost code of the lane is a task's or an entrypoint's own."""
    return all("~" in lane for lane in lanes[innermost(lanes) :])


def _task_result(
    identity: str,
    name: str,
    result: Mapping[str, Any],
    *,
    error: str | None = None,
    interrupts: Sequence[Any] = (),
) -> dict[str, Any]:
    return {
        "id": identity,
        "name": name,
        "error": error,
        "result": dict(result),
        "interrupts": list(interrupts),
    }


def _arguments(told: Mapping[str, Any]) -> Any:
    """Return a task's arguments as ``(args, kwargs)``; another step's input as it is."""
    given = told.get("input")
    if told.get("kind") == "task" and isinstance(given, list) and len(given) == 2:  # noqa: PLR2004
        return (tuple(given[0]), given[1])
    return given


def shaped(
    part: Part, mode: str | list[str] | tuple[str, ...], *, subgraphs: bool, version: str
) -> Any:
    """Return a part in the form that the caller of ``stream`` asked for."""
    if version == "v2":
        typed = {"type": part.mode, "ns": part.namespace, "data": part.data}
        if part.mode == "values":
            if part.interrupts:
                typed["data"] = {
                    key: value for key, value in part.data.items() if key != "__interrupt__"
                }
            typed["interrupts"] = part.interrupts
        return typed
    several = not isinstance(mode, str)
    if subgraphs:
        return (part.namespace, part.mode, part.data) if several else (part.namespace, part.data)
    return (part.mode, part.data) if several else part.data


def chosen(mode: str | list[str] | tuple[str, ...] | None) -> frozenset[str]:
    """Return the modes asked for.

    Raises:
        ValueError: There is no such mode.
    """
    modes = ["updates"] if mode is None else [mode] if isinstance(mode, str) else list(mode)
    for one in modes:
        if one not in MODES:
            raise ValueError(f"unknown stream mode {one!r}; there are {', '.join(MODES)}")
    return frozenset(modes)
