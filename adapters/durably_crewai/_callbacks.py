"""The user's own functions that CrewAI calls: each call is a step, so what it does is done once."""

from __future__ import annotations

import functools
import inspect
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any

from durably.adapting import Call, Scope, fingerprint, live_scope
from durably.errors import EncodeError

_OWN = "crewai."
"""CrewAI's own functions (guardrails, evaluations) ask models, whose calls are steps."""

_PROJECT = "crewai.project.annotations"
"""Where methods marked as ``@before_kickoff`` and ``@after_kickoff`` are bound to their object."""

_NOT_ASKED = frozenset({"messages", "tool_failures", "agent_fingerprint"})
"""Fields of an output that tell how it came about; they hold what differs in each process."""

_ARGUMENT = "durably: the argument"
_ORIGINAL = "__durably_original__"
_HOLDERS = "__durably_holders__"

_Holder = tuple[int, str]
"""Whose attribute, by the identity of its attributes, and its name."""

_holding = threading.Lock()
_held: list[Any] = []
"""The functions that stand in an attribute now."""


class _Later(BaseException):
    """A function that looked like a plain one has returned an awaitable."""

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        super().__init__()
        self.awaitable = awaitable


def recorded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* with each of its calls made a step, where a run is under way.

    What it returns is journaled, and what it changed on its first argument too (a callback may
    rewrite a task's output). Where these cannot be written it is called again on replay.
    """
    if _is_recorded(function) or _is_own(function):
        return function

    def called(*args: Any, **kwargs: Any) -> Any:
        scope = live_scope()
        if scope is None:
            return function(*args, **kwargs)
        return _Called(scope, function, args, kwargs).outcome()

    if isinstance(function, FunctionType | MethodType):
        functools.update_wrapper(called, function)
    else:
        called.__name__ = _name(function)
    vars(called).update({_ORIGINAL: function, _HOLDERS: Counter[_Holder]()})
    return called


def _is_own(function: Any) -> bool:
    """Say whether a function is CrewAI's: what it keeps in memory must be there on replay too."""
    function = _users(function)
    defined = function if isinstance(function, FunctionType | MethodType) else type(function)
    return str(getattr(defined, "__module__", "")).startswith(_OWN)


def _users(function: Any) -> Any:
    """Return the method of a user's ``@CrewBase`` class that CrewAI has put a function around."""
    if not isinstance(function, FunctionType) or function.__module__ != _PROJECT:
        return function
    hook = inspect.getclosurevars(function).nonlocals.get("hook", function)
    return getattr(hook, "_meth", hook)


class _Called:
    """One call of a user's function."""

    def __init__(
        self,
        scope: Scope,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._scope = scope
        self._function = function
        self._args, self._kwargs = args, kwargs
        self._before = _print(self._given)
        request = [_identity(arg) for arg in args], dict(kwargs)
        self._step = scope.open(
            Call("code", _name(function), request, dump=self._dump, effect=True)
        )

    @property
    def _given(self) -> Any:
        return self._args[0] if self._args else None

    def outcome(self) -> Any:
        """Return what the function returned, now or when it was recorded."""
        if self._step.held is not None:
            stored = self._scope.perform(self._step, self._call)
            return self._again() if stored is None else self._restored(stored)
        if inspect.iscoroutinefunction(self._function):
            return self._scope.aperform(self._step, self._call)
        try:
            return self._scope.perform(self._step, self._call_plainly)
        except _Later as later:
            awaitable = later.awaitable
        return self._scope.aperform(self._step, lambda: awaitable)

    def _call(self) -> Any:
        return self._function(*self._args, **self._kwargs)

    def _call_plainly(self) -> Any:
        value = self._call()
        if inspect.isawaitable(value):
            raise _Later(value)
        return value

    def _again(self) -> Any:
        with self._scope.inside(self._step):
            return self._call()

    def _dump(self, value: Any) -> Any:
        is_changed = _print(self._given) != self._before
        changed = dict(_contents(self._given)) if is_changed else None
        stored = {"value": self._marked(value), "changed": changed}
        try:
            self._scope.run.codec.encode(stored)
        except EncodeError:
            return None
        return stored

    def _restored(self, stored: Mapping[str, Any]) -> Any:
        if stored["changed"] is not None:
            contents = _contents(self._given)
            contents.clear()
            contents.update(stored["changed"])
        return self._unmarked(stored["value"])

    def _marked(self, value: Any) -> Any:
        """Return *value* with the argument, which a guardrail gives back, by reference."""
        if value is self._given and value is not None:
            return {_ARGUMENT: True}
        if isinstance(value, tuple):
            return tuple(self._marked(item) for item in value)
        return value

    def _unmarked(self, value: Any) -> Any:
        if isinstance(value, dict) and _ARGUMENT in value:
            return self._given
        if isinstance(value, tuple):
            return tuple(self._unmarked(item) for item in value)
        return value


def _name(function: Any) -> str:
    function = _users(function)
    return str(getattr(function, "__name__", None) or type(function).__name__)


def _identity(argument: Any) -> Any:
    """Return what makes an argument another one: of an output, what it says."""
    if hasattr(argument, "raw") and hasattr(type(argument), "model_fields"):
        return {key: value for key, value in vars(argument).items() if key not in _NOT_ASKED}
    return argument


def _contents(argument: Any) -> Any:
    """Return what a function may change of an argument: a mapping itself, or its attributes."""
    return argument if isinstance(argument, dict) else getattr(argument, "__dict__", None)


def _print(argument: Any) -> bytes | None:
    contents = _contents(argument)
    return None if contents is None else fingerprint(contents)[0]


@contextmanager
def calls_recorded(owner: Any, *names: str) -> Generator[None]:
    """Have the functions in the attributes *names* of *owner*, or in lists there, recorded.

    They are put back when the last block that holds them is left: an agent may have several turns
    at the same time.
    """
    attributes = vars(owner)
    held = [(name, *_taken(attributes, name)) for name in names if attributes.get(name)]
    try:
        yield
    finally:
        for name, functions, before in held:
            _give_back(attributes, name, functions, before)


def _taken(attributes: dict[str, Any], name: str) -> tuple[list[Any], Any]:
    before = attributes[name]
    with _holding:
        if isinstance(before, list):
            functions = [_one(function) for function in before]
            attributes[name] = functions
        else:
            functions = [_one(before)]
            attributes[name] = functions[0]
        for function in filter(_is_recorded, functions):
            vars(function)[_HOLDERS][id(attributes), name] += 1
            if not any(function is one for one in _held):
                _held.append(function)
    return functions, before


def _one(function: Callable[..., Any]) -> Any:
    """Return what records *function*: CrewAI compares a task's callback with the crew's."""
    for one in _held:
        original = vars(one)[_ORIGINAL]
        if original is function or (isinstance(function, MethodType) and original == function):
            return one
    return recorded(function)


def _give_back(attributes: dict[str, Any], name: str, functions: list[Any], before: Any) -> None:
    holder = id(attributes), name
    with _holding:
        for function in filter(_is_recorded, functions):
            holders = vars(function)[_HOLDERS]
            holders[holder] -= 1
            if not holders[holder]:
                del holders[holder]
            if not holders:
                _held[:] = [one for one in _held if one is not function]
        if isinstance(before, list):
            if attributes[name] is functions:
                attributes[name] = before
        elif _is_recorded(attributes.get(name)) and holder not in _holders(attributes[name]):
            attributes[name] = vars(attributes[name])[_ORIGINAL]


def put_back(owners: Iterable[Any], name: str) -> None:
    """Put back functions that CrewAI has passed on to *owners* while they were recorded."""
    with _holding:
        for owner in owners:
            stands = vars(owner).get(name)
            if _is_recorded(stands) and not _holders(stands):
                vars(owner)[name] = vars(stands)[_ORIGINAL]


def _is_recorded(function: Any) -> bool:
    return isinstance(function, FunctionType) and _HOLDERS in vars(function)


def _holders(function: Any) -> Counter[_Holder]:
    found: Counter[_Holder] = vars(function)[_HOLDERS]
    return found


def check(
    scope: Scope,
    original: Callable[..., Any],
    output: Any,
    guardrail: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Have the guardrail that ``process_guardrail`` calls recorded."""
    del scope
    checked = recorded(guardrail) if callable(guardrail) else guardrail
    return original(output, checked, *args, **kwargs)


def should_execute(scope: Scope, original: Callable[..., bool], self: Any, context: Any) -> bool:
    """Journal what a conditional task's condition says, for ``ConditionalTask.should_execute``."""
    del scope
    with calls_recorded(self, "condition"):
        return original(self, context)
