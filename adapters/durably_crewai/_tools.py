"""Tool calls as steps with a start marker; delegation to a coworker as a span."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from durably.adapting import Call, Scope, call_label, fingerprint, policy_of
from durably.errors import Suspended
from durably.types import StepPolicy

from ._values import without, writable

_DELEGATION = "crewai.tools.agent_tools.base_agent_tools"
"""Where the tools are defined that hand work to another agent, whose steps are steps."""

_VOLATILE = frozenset({"security_context"})
"""Arguments that CrewAI adds by itself; they hold ids made anew in every process."""

_REJECTIONS = ("arguments validation failed", "failed to parse arguments", "usage limit")
"""Words in errors that CrewAI raises before it counts a use; see crewai/tools/."""


def run(scope: Scope, original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Journal ``BaseTool.run``, which native tool calls end in."""
    use = _Use(scope, self, _arguments(self, args, kwargs))
    more = {name: kwargs[name] for name in _VOLATILE if name in kwargs}
    return use.made(
        lambda: original(self, *args, **kwargs), lambda edited: original(self, **edited, **more)
    )


async def arun(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Journal ``BaseTool.arun``."""
    use = _Use(scope, self, _arguments(self, args, kwargs))
    more = {name: kwargs[name] for name in _VOLATILE if name in kwargs}
    return await use.amade(
        lambda: original(self, *args, **kwargs), lambda edited: original(self, **edited, **more)
    )


def invoke(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    input: Any,  # noqa: A002 - CrewAI's name
    config: Any = None,
    **kwargs: Any,
) -> Any:
    """Journal ``CrewStructuredTool.invoke``, which calls written as text (ReAct) end in."""
    use = _Use(scope, self, {**_parsed(input), **kwargs})
    return use.made(
        lambda: original(self, input, config, **kwargs),
        lambda edited: original(self, dict(edited), config),
    )


async def ainvoke(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    input: Any,  # noqa: A002 - CrewAI's name
    config: Any = None,
    **kwargs: Any,
) -> Any:
    """Journal ``CrewStructuredTool.ainvoke``."""
    use = _Use(scope, self, {**_parsed(input), **kwargs})
    return await use.amade(
        lambda: original(self, input, config, **kwargs),
        lambda edited: original(self, dict(edited), config),
    )


class _Use:
    """One use of a tool: a step, and a count on the tool whether or not it is executed.

    A person may review it first: it is its own :class:`durably.adapting.Review`.
    """

    call_id = ""

    def __init__(self, scope: Scope, tool: Any, args: Mapping[str, Any]) -> None:
        self.args = args
        self._scope = scope
        self._tool = tool
        self._again: Callable[[Mapping[str, Any]], Any]
        self._is_async = self._executed = False

    def made(self, execute: Callable[[], Any], again: Callable[[Mapping[str, Any]], Any]) -> Any:
        """Make the step.

        Args:
            execute: Uses the tool.
            again: Uses it with other arguments.
        """
        if self._scope.within("tool", self._tool.name):
            return execute()
        if _delegates(self._tool):
            with _delegation(self._scope, self._tool, self.args):
                return execute()
        self._again = again
        with self._counted():
            return self._scope.step(self._described(), lambda: self._begun(execute))

    async def amade(
        self,
        execute: Callable[[], Awaitable[Any]],
        again: Callable[[Mapping[str, Any]], Awaitable[Any]],
    ) -> Any:
        """Like :meth:`made`, for coroutines."""
        if self._scope.within("tool", self._tool.name):
            return await execute()
        if _delegates(self._tool):
            with _delegation(self._scope, self._tool, self.args):
                return await execute()
        self._again, self._is_async = again, True
        with self._counted():
            return await self._scope.astep(self._described(), lambda: self._begun(execute))

    def _begun(self, execute: Callable[[], Any]) -> Any:
        """Execute the tool; an awaitable for an async one."""
        self._executed = True
        return execute()

    def _described(self) -> Call:
        hint = getattr(self._tool, "result_schema", None)
        shape = hint if isinstance(hint, type) else None
        return Call(
            "tool",
            self._tool.name,
            self.args,
            label=call_label(self._tool.name, self.args),
            dump=lambda value: writable(self._scope, self._tool, value, shape),
            hint=shape,
            effect=True,
            adapter="crewai",
            policy=_policy(self._tool),
            review=self,
        )

    def args_schema(self) -> Mapping[str, Any] | None:
        """Return the JSON schema of the tool's arguments."""
        describe = getattr(getattr(self._tool, "args_schema", None), "model_json_schema", None)
        return describe() if describe is not None else None

    def edited(self, args: Mapping[str, Any], notice: str) -> Callable[[], Any]:
        """Return what uses the tool with other arguments, and tells the model so."""

        def told(result: Any) -> Any:
            return result if self._tool_answers() else f"{notice}\n{result}"

        if not self._is_async:
            return lambda: told(self._begun(lambda: self._again(args)))

        async def execute() -> Any:
            return told(await self._begun(lambda: self._again(args)))

        return execute

    def _tool_answers(self) -> bool:
        """Say whether the result goes past the model, to be the task's answer."""
        return bool(getattr(self._tool, "result_as_answer", False))

    def rejected(self, message: str) -> Any:
        """Return what the model reads in place of a result."""
        return message

    def responded(self, answer: Any) -> Any:
        """Return a person's answer as the tool's result."""
        return answer

    @contextmanager
    def _counted(self) -> Generator[None]:
        """Count a replayed use on the tool, as the recorded one was counted."""
        try:
            yield
        except Suspended:
            raise
        except Exception as error:
            said = str(error).lower()
            if not self._executed and not any(words in said for words in _REJECTIONS):
                _count(self._tool)
            raise
        if not self._executed:
            _count(self._tool)


def _policy(tool: Any) -> StepPolicy | None:
    """Return what the program put around the tool with ``durably.policy``, if it did."""
    origin = getattr(tool, "_original_tool", None) or tool
    return policy_of(origin, getattr(tool, "func", None), getattr(origin, "func", None))


def _count(tool: Any) -> None:
    """Count one use of *tool* the way its class does."""
    for name in ("_claim_usage", "_increment_usage_count"):
        claim = getattr(tool, name, None)
        if claim is not None:
            claim()
            return
    tool.current_usage_count = getattr(tool, "current_usage_count", 0) + 1


def _delegates(tool: Any) -> bool:
    return any(cls.__module__ == _DELEGATION for cls in type(tool).__mro__) or (
        getattr(tool, "_original_tool", None) is not None and _delegates(tool._original_tool)
    )


@contextmanager
def _delegation(scope: Scope, tool: Any, arguments: Mapping[str, Any]) -> Generator[Scope]:
    # Delegations may run in parallel, so the lane is named by what is delegated.
    what = fingerprint(arguments)[0].hex()[:8]
    coworker = str(arguments.get("coworker") or tool.name)
    with scope.span("delegation", coworker, f"delegate:{what}") as inner:
        yield inner


def _arguments(tool: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments by name, positional ones by the tool's schema."""
    if not args:
        return without(kwargs, _VOLATILE)
    fields = getattr(getattr(tool, "args_schema", None), "model_fields", {})
    names = [*fields, *(f"argument {i + 1}" for i in range(len(fields), len(args)))]
    return {**dict(zip(names, args, strict=False)), **without(kwargs, _VOLATILE)}


def _parsed(given: Any) -> Mapping[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {"input": given}
    return without(given, _VOLATILE) if isinstance(given, Mapping) else {"input": given}
