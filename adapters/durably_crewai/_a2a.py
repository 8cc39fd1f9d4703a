"""Agents elsewhere that an agent asks over A2A: each message to one is a step with an effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from durably.adapting import Call, Scope, call_label

from ._event_bus import Overheard
from ._values import class_schema

_ASKED = (
    "endpoint",
    "task_description",
    "context",
    "metadata",
    "extensions",
    "turn_number",
    "skill_id",
    "accepted_output_modes",
)
"""Parameters of CrewAI's delegation that change what the other agent does.

The ids of its conversation are left out: they come from its earlier answers.
"""

_ASKERS = ("from_task", "from_agent")


async def delegate(
    scope: Scope, original: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
) -> Any:
    """Journal ``_aexecute_a2a_delegation_impl``: one message, and the task it sets off."""
    request = {name: value for name in _ASKED if (value := kwargs.get(name)) is not None}
    shape = kwargs.get("response_model")
    if shape is not None:
        request["response_model"] = class_schema(shape)
    told = {"endpoint": kwargs["endpoint"], "message": kwargs["task_description"]}
    asked = _Asked(scope, kwargs)
    call = asked.call("tool", "a2a", request, label=call_label("a2a", told), effect=True)
    return await asked.amade(call, lambda: original(*args, **kwargs))


def fetch_card(scope: Scope, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Journal ``fetch_agent_card``: what an agent says about itself goes into prompts."""
    asked = _Asked(scope, kwargs)
    return asked.made(asked.card(), lambda: original(*args, **kwargs))


async def afetch_card(
    scope: Scope, original: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
) -> Any:
    """Journal ``afetch_agent_card``."""
    asked = _Asked(scope, kwargs)
    return await asked.amade(asked.card(), lambda: original(*args, **kwargs))


class _Asked:
    """Something that an agent elsewhere is asked: its answer, and what is announced meanwhile.

    Args:
        scope: Where.
        given: The arguments of CrewAI's function.
    """

    def __init__(self, scope: Scope, given: Mapping[str, Any]) -> None:
        self._scope = scope
        self._given = given
        self._overheard = Overheard(scope.run.codec)

    def call(
        self,
        kind: Literal["tool", "memory"],
        name: str,
        request: Mapping[str, Any],
        **more: Any,
    ) -> Call:
        """Return the step."""
        return Call(kind, name, request, dump=self._dump, load=self._load, adapter="crewai", **more)

    def card(self) -> Call:
        """Return the step that fetches an agent's card."""
        return self.call("memory", "agent_card", {"endpoint": self._given["endpoint"]})

    def made(self, call: Call, execute: Callable[[], Any]) -> Any:
        """Make the step."""

        def attempt() -> Any:
            with self._overheard.listening():
                return execute()

        return self._scope.step(call, attempt)

    async def amade(self, call: Call, execute: Callable[[], Awaitable[Any]]) -> Any:
        """Like :meth:`made`, for coroutines."""

        async def attempt() -> Any:
            with self._overheard.listening():
                return await execute()

        return await self._scope.astep(call, attempt)

    def _dump(self, answer: Any) -> Any:
        return {"answer": answer, "announced": self._overheard.noted()}

    def _load(self, stored: Any) -> Any:
        askers = {name: self._given[name] for name in _ASKERS if name in self._given}
        self._overheard.again(self._given.get("agent_branch"), stored["announced"], **askers)
        return stored["answer"]
