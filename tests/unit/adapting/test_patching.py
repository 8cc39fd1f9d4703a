"""Seams are put into a framework's functions and taken out again without a trace."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import sys
from typing import get_type_hints

import pytest

from durably.adapting import (
    Adapter,
    activate,
    is_in,
    live_scope,
    problem,
    problems,
    refresh,
    uninstall,
)
from durably.adapting._patches import install
from durably.engine import current

from .runs import adapter, as_awaited_step, as_step, as_streamed_step, host_of, seam, steps_of


def put_in(*seams):
    """Import the framework's modules, put the seams in and return their adapter."""
    from fakeframework import agents, models, tools

    del agents, models, tools
    made = adapter(*seams)
    activate([made])
    return made


def raw(place, name):
    return inspect.getattr_static(place, name)


def test_a_method_becomes_a_step():
    """Inside a run a call of the method goes through the seam; its result is its own."""
    made = put_in(seam("models:Model.call"))
    from fakeframework.models import Model

    assert steps_of(lambda: Model().call("tea", temperature=1), made) == (
        "answer to tea",
        ["Model.call"],
    )


@pytest.mark.parametrize(
    ("target", "call", "result"),
    [
        ("Tool.check", lambda tools: tools.Tool.check("x"), "checked x"),
        ("Tool.check", lambda tools: tools.Tool().check("x"), "checked x"),
        ("Tool.named", lambda tools: tools.Tool.named("x"), "Tool x"),
        ("shout", lambda tools: tools.shout("x"), "X"),
    ],
    ids=["static method", "static method of an object", "class method", "function"],
)
def test_other_functions_become_steps(target, call, result):
    """Static methods, class methods and functions of a module keep their way of being called."""
    made = put_in(seam(f"tools:{target}"))
    from fakeframework import tools

    assert steps_of(lambda: call(tools), made) == (result, [target])
    assert call(tools) == result


def test_a_class_method_is_given_the_class_it_was_called_on():
    """A class method called on a subclass gets the subclass."""
    made = put_in(seam("tools:Tool.named"))
    from fakeframework.tools import Tool

    class Saw(Tool):
        pass

    assert steps_of(lambda: Saw.named("x"), made) == ("Saw x", ["Tool.named"])


def test_a_coroutine_function_becomes_a_step():
    """An awaited call goes through the seam, and the function still is a coroutine function."""
    made = put_in(seam("models:Model.acall", as_awaited_step))
    from fakeframework.models import Model

    assert inspect.iscoroutinefunction(Model.acall)
    assert asyncio.run(Model().acall("tea")) == "awaited answer to tea"
    value, steps = steps_of(lambda: asyncio.run(Model().acall("tea")), made)
    assert (value, steps) == ("awaited answer to tea", ["Model.acall"])


def test_an_async_generator_becomes_a_step():
    """A streamed call goes through the seam, and the function still is an async generator's."""
    made = put_in(seam("models:Model.stream", as_streamed_step))
    from fakeframework.models import Model

    async def read():
        return [piece async for piece in Model().stream("tea")]

    words = ["streamed", "answer", "to", "tea"]
    assert inspect.isasyncgenfunction(Model.stream)
    assert asyncio.run(read()) == words
    assert steps_of(lambda: asyncio.run(read()), made) == (words, ["Model.stream"])


def test_a_stream_left_early_closes_its_source():
    """Closing the stream runs the ``finally`` of what is behind it, inside the same task."""
    closed = []

    async def around(scope, original, self, prompt):
        try:
            async for piece in original(self, prompt):
                yield piece
        finally:
            closed.append(prompt)

    made = put_in(seam("models:Model.stream", around))
    from fakeframework.models import Model

    async def read_one():
        stream = Model().stream("tea")
        first = await anext(stream)
        await stream.aclose()
        return first

    assert steps_of(lambda: asyncio.run(read_one()), made)[0] == "streamed"
    assert closed == ["tea"]


def test_reading_a_property_becomes_a_step():
    """With ``getter`` what is caught is a property; everything else about it stays."""
    from fakeframework.tools import Tool

    before = vars(Tool)["size"]
    made = put_in(seam("tools:Tool.size", getter=True))
    value, steps = steps_of(lambda: Tool().size, made)
    assert value == Tool().size
    assert len(steps) == 1
    assert Tool.size.__doc__ == before.__doc__
    uninstall(made)
    assert vars(Tool)["size"] is before


def test_an_abstract_method_is_left_alone():
    """A base's abstract method is not replaced: the class stays abstract as it was."""
    from fakeframework.models import Base, Model

    abstract = raw(Base, "call")
    made = put_in(seam("models:Base.call", subclasses=True))
    assert raw(Base, "call") is abstract
    with pytest.raises(TypeError, match="abstract"):
        Base()
    assert steps_of(lambda: Model().call("tea"), made)[1] == ["Model.call"]


def test_an_inherited_method_is_caught_on_the_named_class_only():
    """A method that moved to a base is still a seam of the class that was named."""
    made = put_in(seam("models:Inheriting.call"))
    from fakeframework.models import Inheriting, Model

    assert is_in(made.seams[0])
    body = lambda: (Inheriting().call("a"), Model().call("b"))
    assert steps_of(body, made) == (("answer to a", "answer to b"), ["Model.call"])
    uninstall(made)
    assert "call" not in vars(Inheriting)


def test_a_method_that_a_base_catches_is_one_step():
    """A seam on a base and one on a class that inherits from it do not add up."""
    made = put_in(seam("models:Model.call"), seam("models:Inheriting.call"))
    from fakeframework.models import Inheriting

    assert all(is_in(one) for one in made.seams)
    assert steps_of(lambda: Inheriting().call("tea"), made)[1] == ["Model.call"]


def test_subclasses_are_caught_early_and_late():
    """A subclass's own implementation is a seam, whether it is defined before or after."""
    made = put_in(seam("models:Model.call", subclasses=True))
    from fakeframework.models import Model, Small

    class Late(Small):
        def call(self, prompt, temperature=0):
            return f"late answer to {prompt}"

    body = lambda: [cls().call("tea") for cls in (Model, Small, Late)]
    assert steps_of(body, made)[1] == ["Model.call", "Small.call", Late.call.__qualname__]


def test_without_subclasses_only_the_class_itself_is_caught():
    """A seam that does not ask for subclasses leaves their own implementations alone."""
    made = put_in(seam("models:Model.call"))
    from fakeframework.models import Small

    assert steps_of(lambda: Small().call("tea"), made) == ("small answer to tea", [])


def test_the_frameworks_own_init_subclass_still_runs():
    """A base's own ``__init_subclass__`` is called with its arguments, before the seam."""
    made = put_in(seam("models:Counting.call", subclasses=True))
    from fakeframework.models import Counting

    class Late(Counting, colour="red"):
        def call(self, prompt):
            return f"late answer to {prompt}"

    assert Counting.known[-1] == ("Late", {"colour": "red"})
    assert steps_of(lambda: Late().call("tea"), made)[1] == [Late.call.__qualname__]


def test_a_subclass_that_is_hidden_from_its_base_is_caught_by_a_refresh():
    """Where ``__init_subclass__`` does not call its super, the next run catches up."""
    made = put_in(seam("models:Counting.call", subclasses=True))
    from fakeframework.models import Silencing

    class Hidden(Silencing):
        def call(self, prompt):
            return f"hidden answer to {prompt}"

    original = raw(Hidden, "call")
    refresh(made)
    assert raw(Hidden, "call") is not original
    assert steps_of(lambda: Hidden().call("tea"), made)[1] == [Hidden.call.__qualname__]
    uninstall(made)
    assert raw(Hidden, "call") is original


def test_a_new_run_catches_up_with_hidden_subclasses():
    """Beginning a run refreshes the seams; nobody has to ask for it."""
    made = put_in(seam("models:Counting.call", subclasses=True))
    from fakeframework.models import Silencing

    class Hidden(Silencing):
        def call(self, prompt):
            return f"hidden answer to {prompt}"

    assert steps_of(lambda: Hidden().call("tea"), made)[1] == [Hidden.call.__qualname__]


def test_taking_one_seam_out_leaves_another_adapters_subclasses_caught():
    """Two adapters may watch the subclasses of one base; each lets go of its own."""
    mine = put_in(seam("models:Model.call", subclasses=True))
    other = put_in(seam("models:Model.acall", as_awaited_step, subclasses=True))
    from fakeframework.models import Model

    uninstall(mine)

    class Late(Model):
        async def acall(self, prompt):
            return "late"

    body = lambda: asyncio.run(Late().acall("tea"))
    assert steps_of(body, other) == ("late", [Late.acall.__qualname__])


@pytest.mark.parametrize(
    ("target", "around"),
    [
        ("models:Model.call", as_step),
        ("models:Model.acall", as_awaited_step),
        ("models:Model.stream", as_streamed_step),
        ("tools:shout", as_step),
    ],
)
def test_a_seam_looks_like_the_function_in_whose_place_it_stands(target, around):
    """Name, signature, kind, type hints and what wraps it are the original's."""
    from fakeframework import models, tools

    del models, tools
    module, _, path = target.partition(":")

    def found():
        place = sys.modules[f"fakeframework.{module}"]
        return functools.reduce(getattr, path.split("."), place)

    def seen(function):
        return (
            function.__qualname__,
            function.__module__,
            str(inspect.signature(function)),
            get_type_hints(function),
            inspect.iscoroutinefunction(function),
            inspect.isasyncgenfunction(function),
            hasattr(function, "__wrapped__"),
        )

    original = found()
    original.__annotations__ = {"return": "Text"}
    original.__globals__["Text"] = str  # as `from __future__ import annotations` leaves it
    before = seen(original)
    put_in(seam(target, around))
    assert found() is not original
    assert seen(found()) == before


def test_a_seam_keeps_what_its_function_wraps():
    """A function that the framework has decorated itself still leads to what it decorated."""
    from fakeframework import tools

    inner = tools.shout
    tools.shout = functools.wraps(inner)(lambda text: inner(text) + "!")
    put_in(seam("tools:shout", kind="support"))
    assert inspect.unwrap(tools.shout) is inner


def everything():
    """Return a seam of every shape."""
    return (
        seam("models:Base.call", subclasses=True),
        seam("models:Counting.call", subclasses=True),
        seam("models:Model.acall", as_awaited_step),
        seam("models:Model.stream", as_streamed_step),
        seam("tools:Tool.run", kind="tool"),
        seam("tools:Tool.check", kind="support"),
        seam("tools:Tool.named", kind="support"),
        seam("tools:shout", kind="support"),
    )


def attributes():
    """Return every attribute of the framework's modules and classes as it is stored."""
    from fakeframework import models, tools

    places = [models, tools, models.Base, models.Model, models.Small, models.Counting, tools.Tool]
    return {
        (place.__name__, name): value
        for place in places
        for name, value in vars(place).items()
        if name not in ("__builtins__", "__abstractmethods__", "_abc_impl")
    }


def test_uninstall_puts_the_very_same_objects_back():
    """After uninstalling, every attribute of the framework is the object it was, none is left."""
    before = attributes()
    made = put_in(*everything())
    assert all(is_in(one) for one in made.seams)
    assert attributes() != before
    uninstall(made)
    after = attributes()
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] is not before[name]] == []
    assert not any(is_in(one) for one in made.seams)


def test_putting_in_twice_is_putting_in_once():
    """A second installation changes nothing, whichever adapter it comes from."""
    made = put_in(*everything())
    once = attributes()
    activate([made])
    activate([adapter(*everything())])
    refresh(made)
    again = attributes()
    assert [name for name in once if again[name] is not once[name]] == []


def test_a_seam_can_be_put_in_again():
    """Seams that were taken out take hold again."""
    made = put_in(seam("tools:Tool.run"))
    uninstall(made)
    install(made, "fakeframework.tools")
    from fakeframework.tools import Tool

    assert steps_of(lambda: Tool().run("saw"), made) == ("ran saw", ["Tool.run"])


def test_uninstalling_what_was_never_imported_is_nothing():
    """Taking out the seams of a framework that nobody imported imports nothing."""
    uninstall(adapter(*everything()))
    assert "fakeframework" not in sys.modules


def test_a_decorator_put_on_later_is_neither_gated_again_nor_thrown_away():
    """What another library put around a seam's function stays there, and the call is one step."""
    made = put_in(seam("tools:Tool.run"))
    from fakeframework.tools import Tool

    inner = Tool.run

    @functools.wraps(inner)
    def traced(self, argument):
        return f"traced {inner(self, argument)}"

    Tool.run = traced
    assert steps_of(lambda: Tool().run("saw"), made) == ("traced ran saw", ["Tool.run"])
    uninstall(made)
    assert Tool.run is traced


def test_a_replaced_function_looks_like_the_original():
    """Name, docstring, module and signature stay what they were, for those who inspect."""
    from fakeframework.models import Model

    original = Model.call
    put_in(seam("models:Model.call"))
    assert Model.call is not original
    assert inspect.signature(Model.call) == inspect.signature(original)
    assert (Model.call.__qualname__, Model.call.__module__) == ("Model.call", original.__module__)


def test_an_adapter_is_told_when_its_seams_are_in_and_out():
    """``installed`` and ``uninstalled`` are called, so that an adapter can do and undo more."""
    told = []

    class Told(Adapter):
        name = "told"
        distribution = "fakeframework"
        seams = (seam("tools:shout"),)

        def installed(self):
            told.append("in")

        def uninstalled(self):
            told.append("out")

    from fakeframework import tools

    del tools
    made = Told()
    activate([made])
    uninstall(made)
    assert told == ["in", "out"]


def test_outside_a_run_a_seam_is_inert():
    """Without a run the original is called, and around never."""

    def around(scope, original, *args):
        raise AssertionError("called outside of a run")

    put_in(seam("tools:Tool.run", around))
    from fakeframework.tools import Tool

    assert Tool().run("saw") == "ran saw"


def test_after_its_run_a_seam_is_inert():
    """Code that outlives its run, with the run still in its context, calls the original."""
    made = put_in(seam("tools:Tool.run"))
    from fakeframework.tools import Tool

    context, _ = steps_of(contextvars.copy_context, made)
    assert context.run(live_scope) is None
    assert context.run(Tool().run, "saw") == "ran saw"
    assert context.run(current) is not None


def test_a_seam_may_ask_to_be_called_outside():
    """With ``outside`` around is called without a run too, with None for a scope."""
    seen = []

    def around(scope, original, text):
        seen.append(scope)
        return original(text)

    put_in(seam("tools:shout", around, kind="support", outside=True))
    from fakeframework import tools

    assert tools.shout("x") == "X"
    assert seen == [None]


@pytest.mark.parametrize(
    ("target", "params", "said"),
    [
        ("models:Model.invoke", (), "fakeframework.models:Model.invoke is gone"),
        ("models:Gone.call", (), "fakeframework.models:Gone.call is gone"),
        ("models:Model.call", ("messages", "tools"), "no longer takes messages, tools"),
        ("tools:Tool.size", (), "is no function any more"),
        ("tools:Tool.prefix", (), "is no function any more"),
    ],
    ids=["method", "class", "parameters", "property", "value"],
)
def test_what_drifted_is_a_problem_with_a_reason(target, params, said):
    """A missing class, method or parameter, or no function, is told by name."""
    from fakeframework import models, tools

    del models, tools
    drifted = seam(target, params=params)
    found = problem(drifted)
    assert found is not None
    assert said in found.reason
    assert [one.seam for one in problems(adapter(drifted, seam("models:Model.call")))] == [drifted]


def test_what_is_there_is_no_problem():
    """A seam whose function takes what it needs, by name or by ``**kwargs``, is fine."""
    from fakeframework import models

    models.Model.invoke = lambda self, **kwargs: kwargs
    try:
        assert problem(seam("models:Model.call", params=("prompt", "temperature"))) is None
        assert problem(seam("models:Model.invoke", params=("anything",))) is None
    finally:
        del models.Model.invoke


def test_modules_that_are_not_imported_and_optional_seams_are_not_missed():
    """Only imported modules are looked at, and what may be missing is not reported."""
    from fakeframework import models

    del models
    made = adapter(
        seam("models:Model.invoke", optional=True),
        seam("nowhere:Model.call"),
        seam("tools:Tool.gone"),
    )
    assert problems(made) == []
    assert [one.reason for one in problems(made, ["fakeframework.nowhere"])] == [
        "module fakeframework.nowhere is not there"
    ]


def test_a_drifted_seam_is_left_out_and_the_others_are_put_in():
    """One seam that does not fit keeps no other from taking hold."""
    made = put_in(seam("tools:Tool.gone", kind="support"), seam("tools:Tool.run"))
    assert [is_in(one) for one in made.seams] == [False, True]
    uninstall(made)
    assert [is_in(one) for one in made.seams] == [False, False]


def test_seams_are_shared_by_hosts_that_come_and_go():
    """A host that is closed takes nothing from one that is still there."""
    made = put_in(seam("tools:Tool.run"))
    host_of(made).close()
    from fakeframework.tools import Tool

    assert steps_of(lambda: Tool().run("saw"), made)[1] == ["Tool.run"]
