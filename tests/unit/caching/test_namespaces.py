"""Cache namespaces: what makes two functions the same, and what is refused."""

from __future__ import annotations

import functools
import logging
import operator
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from durably.caching import cache_namespace, default_cache_key
from durably.errors import EncodeError


class Agent:
    """An object that refers to itself."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.me = self

    def ask(self, question: str) -> str:
        return self.model + question

    def __call__(self, question: str) -> str:
        return self.ask(question)

    @classmethod
    def named(cls, name: str) -> Agent:
        return cls(name)

    @staticmethod
    def shout(text: str) -> str:
        return text.upper()


class Client:
    """An object with a part that has no content, and that it leaves out."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.lock = threading.Lock()

    def __getstate__(self) -> Any:
        return self.base

    def fetch(self, path: str) -> str:
        return self.base + path


class Locked:
    """An object with a part that has no content."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def fetch(self, path: str) -> str:
        return path


def test_object_may_leave_parts_out():
    """``__getstate__`` decides what of an object counts."""
    assert default_cache_key(Client("a")) == default_cache_key(Client("a"))
    assert default_cache_key(Client("a")) != default_cache_key(Client("b"))
    assert cache_namespace(Client("a").fetch) == cache_namespace(Client("a").fetch)
    assert cache_namespace(Client("a").fetch) != cache_namespace(Client("b").fetch)


def defined(source: str, name: str = "f", **given: Any) -> Callable[..., Any]:
    """Define a function as a module would."""
    scope = {"__name__": "somewhere", **given}
    exec(source, scope)
    function: Callable[..., Any] = scope[name]
    return function


def adder(amount: Any) -> Callable[[int], Any]:
    def add(x: int) -> Any:
        return x + amount

    return add


def test_namespace_names_the_function():
    """People can read which function an entry belongs to."""
    root, name, digest = cache_namespace(adder)
    assert (root, name) == ("durably", f"{__name__}:adder")
    assert re.fullmatch("[0-9a-f]{32}", digest)
    assert cache_namespace(adder) == (root, name, digest)


def test_captured_values_count():
    """Closures share entries if and only if they captured the same."""
    assert cache_namespace(adder(1)) == cache_namespace(adder(1))
    spaces = {cache_namespace(adder(amount)) for amount in (1, 1.0, True, "1", [1], (1,))}
    assert len(spaces) == 6


def test_captured_functions_count_by_their_code():
    """A decorator's inner function is told from another one's."""

    def wrapped(function: Callable[[int], int]) -> Callable[[int], int]:
        def wrapper(x: int) -> int:
            return function(x)

        return wrapper

    def same(x: int) -> int:
        return x

    assert cache_namespace(wrapped(same)) == cache_namespace(wrapped(same))
    assert cache_namespace(wrapped(lambda x: x + 1)) != cache_namespace(wrapped(lambda x: x + 2))


def test_captured_state_counts_at_the_time_of_the_call():
    """Changing what a function captured makes another key."""
    settings = {"model": "a"}
    function = adder(settings)
    before = cache_namespace(function)
    settings["model"] = "b"
    assert cache_namespace(function) != before
    settings["model"] = "a"
    assert cache_namespace(function) == before


def test_variables_that_a_function_assigns_do_not_count():
    """Counting its own calls does not change a function."""
    calls = 0

    def counted(x: int) -> int:
        nonlocal calls
        calls += 1
        return x

    before = cache_namespace(counted)
    counted(1)
    assert calls == 1
    assert cache_namespace(counted) == before


def test_recursive_function_has_a_namespace():
    """A function that captures itself, and one whose variable is still empty, are no problem."""

    def fall(x: int) -> int:
        return fall(x - 1) + later if x else 0

    empty = cache_namespace(fall)
    later = 1
    assert cache_namespace(fall) != empty


def test_lambdas_on_one_line_differ():
    """The code counts, not only the name and the place."""
    first, second = lambda x: x + 1, lambda x: x - 1
    assert cache_namespace(first) != cache_namespace(second)


@pytest.mark.parametrize(
    "changed",
    [
        "def f(x): return x + 2",
        "def f(x): return x + 1.0",
        "def f(x): return x - 1",
        "def f(x, y=0): return x + 1",
        "def f(x, *, y=0): return x + 1",
        "async def f(x): return x + 1",
        "def f(x):\n try:\n  return x + 1\n except KeyError:\n  return 0",
        "def f(x): return (lambda: x + 2)()",
        "f = lambda x: x + 1",
    ],
)
def test_redefined_function_differs(changed: str):
    """Another body, signature or kind is another function."""
    assert cache_namespace(defined("def f(x): return x + 1")) != cache_namespace(defined(changed))


def test_default_values_count():
    """The defaults of parameters are part of a function."""
    spaces = {
        cache_namespace(defined(f"def f(x{star}, y={value}): return x"))
        for star in ("", ", *")
        for value in ("1", "2", "[]")
    }
    assert len(spaces) == 6


def test_moving_a_function_changes_nothing():
    """Lines above it, comments and annotations are not part of a function."""
    moved = "\n\n# moved\ndef f(x: 'int') -> 'int':\n    # more\n    return x + 1"
    assert cache_namespace(defined(moved)) == cache_namespace(defined("def f(x): return x + 1"))


def test_modules_differ():
    """The same code in two modules is two functions."""
    source = "def f(x): return x"
    spaces = {cache_namespace(defined(source, __name__=name)) for name in ("a", "b")}
    assert len(spaces) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PROMPT = 'old'", "PROMPT = 'new'"),
        ("def PROMPT(): return 1", "def PROMPT(): return 2"),
        (
            "def g(): return 1\ndef PROMPT(): return g()",
            "def g(): return 2\ndef PROMPT(): return g()",
        ),
    ],
    ids=["constant", "function", "function's function"],
)
def test_constants_and_functions_of_the_module_count(one: str, other: str):
    """Editing a prompt or a helper in the same module makes another key."""
    reading = "\ndef f(x): return [PROMPT for _ in x]"
    assert cache_namespace(defined(one + reading)) == cache_namespace(defined(one + reading))
    assert cache_namespace(defined(one + reading)) != cache_namespace(defined(other + reading))


def test_objects_in_globals_do_not_count():
    """A client, a list or a module that a function reads from its module is no part of it."""
    source = "def f(x): return THING, x"
    spaces = {
        cache_namespace(defined(source, THING=thing))
        for thing in (threading.Lock(), [1], Agent("a"), logging)
    }
    assert len(spaces) == 1


def test_helper_that_cannot_be_compared_counts_by_name():
    """A decorated helper that captured a lock does not keep its caller from being cached."""
    lock = threading.Lock()

    def helper() -> Any:
        return lock

    helper.__module__ = "somewhere"
    source = "def f(x): return helper(), x"
    first = cache_namespace(defined(source, helper=helper))
    assert first == cache_namespace(defined(source, helper=helper))


def test_methods_of_different_objects_differ():
    """A bound method is told by its object's content."""
    assert cache_namespace(Agent("a").ask) == cache_namespace(Agent("a").ask)
    spaces = {
        cache_namespace(function)
        for function in (
            Agent("a").ask,
            Agent("b").ask,
            Agent.ask,
            Agent("a"),
            Agent("b"),
            Agent("a").__call__,
            Agent.named,
            Agent.shout,
        )
    }
    assert len(spaces) == 8
    assert cache_namespace(Agent("a").ask)[1] == f"{__name__}:Agent.ask"


def test_partials_with_different_arguments_differ():
    """A partial is told by the function and the arguments that it holds."""
    made = [
        functools.partial(adder, 1),
        functools.partial(adder, 2),
        functools.partial(adder, amount=1),
        functools.partial(defined("def adder(x): return x", "adder"), 1),
        functools.partial(Agent("a").ask, "x"),
        functools.partial(Agent("b").ask, "x"),
    ]
    assert len({cache_namespace(partial) for partial in made}) == 6
    assert cache_namespace(made[0]) == cache_namespace(functools.partial(adder, 1))
    assert cache_namespace(made[0])[1] == f"{__name__}:adder"


def test_wrapped_function_counts():
    """``lru_cache`` around a function does not hide its code."""
    one, other = (functools.lru_cache(defined(f"def f(x): return {n}")) for n in (1, 2))
    assert cache_namespace(one) != cache_namespace(other)


def test_builtin_functions_have_namespaces():
    """Functions without Python code count by name."""
    assert len({cache_namespace(function) for function in (len, sum, operator.add, str.upper)}) == 4


def test_running_often_does_not_change_a_function():
    """What the interpreter does to hot code is no part of it."""
    before = cache_namespace(defined("def f(x): return x + 1"))
    function = defined("def f(x): return x + 1")
    for number in range(10_000):
        function(number)
    assert cache_namespace(function) == before


@pytest.mark.parametrize("function", [Locked().fetch, adder(threading.Lock())])
def test_function_with_hidden_state_is_refused(function: Callable[..., Any]):
    """A function that is bound to, or captured, a lock is never guessed about."""
    with pytest.raises(EncodeError, match=r"cannot be cached: a _thread\.lock .*__getstate__"):
        cache_namespace(function)
