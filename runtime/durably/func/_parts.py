"""Stream parts of an entrypoint's run, in the shapes that LangGraph's functional programs see.

The engine tells of steps in its own words, with the lane as the place. Here they become parts of
the modes ``updates``, ``tasks``, ``custom``, ``messages``, ``values``, ``checkpoints`` and
``debug``, with the nested entrypoints as the namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from ..engine import Sink
from ..types import Interrupt, StateSnapshot

MODES = ("values", "updates", "custom", "messages", "tasks", "checkpoints", "debug")
SEGMENT = "entrypoint:"
"""What the lane segment of a nested entrypoint begins with."""

Namespace: TypeAlias = tuple[str, ...]


class Part(NamedTuple):
    """One part of a stream."""

    mode: str
    namespace: Namespace
    data: Any
    interrupts: tuple[Interrupt, ...] = ()


Emit: TypeAlias = Callable[[Part], None]


class Teller:
    """Turns what happens in one run into parts.

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
        self._step = -1

    @property
    def sink(self) -> Sink:
        """What the engine hands its parts to."""
        return self._take

    def _take(self, mode: str, lanes: Namespace, data: Any) -> None:
        namespace = tuple(lane for lane in lanes if lane.startswith(SEGMENT))
        if not self._subgraphs and not self._is_shown(mode, namespace, lanes, data):
            return
        if mode == "tasks":
            data = self._task(data)
        self._tell(mode, namespace, data)
        if mode == "tasks":
            self._debug("task" if "input" in data else "task_result", namespace, data)

    def _is_shown(self, mode: str, namespace: Namespace, lanes: Namespace, data: Any) -> bool:
        """Say whether a part is the entrypoint's own: what is inside a foreign step is not."""
        if namespace:
            return False
        if mode == "tasks":
            return data.get("kind") == "task"
        return mode != "updates" or not any(lane.startswith("crew") for lane in lanes)

    def _task(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return a step's part as LangGraph tells of tasks."""
        if "result" not in told:
            return self._started(told["id"], told["name"], _arguments(told), "__pregel_push")
        result = {"__return__": told["result"]} if told["error"] is None else {}
        return {
            "id": told["id"],
            "name": told["name"],
            "error": told["error"],
            "result": result,
            "interrupts": [],
        }

    def _started(self, identity: str, name: str, given: Any, trigger: str) -> dict[str, Any]:
        part = {"id": identity, "name": name, "input": given, "triggers": (trigger,)}
        return {**part, "metadata": self._metadata} if self._metadata else part

    def began(self, run: str, name: str, given: Any, state: StateSnapshot | None) -> None:
        """Tell that the entrypoint begins."""
        self._checkpoint(state)
        data = self._started(run, name, given, "__start__")
        self._tell("tasks", (), data)
        self._debug("task", (), data)

    def resumed(self, values: Any) -> None:
        """Tell the value that the thread had before this continuation."""
        self._tell("values", (), values)

    def waits(self, run: str, name: str, interrupts: tuple[Interrupt, ...]) -> None:
        """Tell that the entrypoint waits for answers."""
        asked = {"__interrupt__": interrupts}
        self._tell("updates", (), asked)
        self._emit_if("values", Part("values", (), dict(asked), interrupts))
        told = [asdict(one) for one in interrupts]
        self._ended(run, name, {}, None, told)

    def failed(self, run: str, name: str, error: BaseException) -> None:
        """Tell what ended the entrypoint."""
        self._ended(run, name, {}, f"{type(error).__name__}({error!s})", [])

    def done(self, run: str, name: str, value: Any, state: StateSnapshot | None) -> None:
        """Tell what the entrypoint returned."""
        self._tell("updates", (), {name: value})
        self._ended(run, name, {"__end__": value}, None, [])
        self._tell("values", (), value)
        self._checkpoint(state)

    def _ended(self, run: str, name: str, result: Any, error: Any, interrupts: list[Any]) -> None:
        data = {
            "id": run,
            "name": name,
            "error": error,
            "result": result,
            "interrupts": interrupts,
        }
        self._tell("tasks", (), data)
        self._debug("task_result", (), data)

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
                typed["data"] = {}
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
