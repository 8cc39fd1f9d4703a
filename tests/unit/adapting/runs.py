"""Adapters for the fake framework, and runs in which their seams act."""

from __future__ import annotations

from durably.adapting import Adapter, Call, Seam, hookimpl
from durably.engine import drive
from durably.hooks import Listener, Plugins
from durably.hosting import Host


def as_step(scope, original, *args, **kwargs):
    """Make the call a step."""
    step = Call("model", original.__qualname__, {"args": [str(one) for one in args[1:]]})
    return scope.step(step, lambda: original(*args, **kwargs))


async def as_awaited_step(scope, original, self, prompt):
    """Make the awaited call a step."""
    step = Call("model", original.__qualname__, {"prompt": prompt})
    return await scope.astep(step, lambda: original(self, prompt))


async def as_streamed_step(scope, original, self, prompt):
    """Make the streamed call a step."""
    step = Call("model", original.__qualname__, {"prompt": prompt})
    async for piece in scope.astream(step, lambda: original(self, prompt)):
        yield piece


def seam(target, around=as_step, kind="model", **rest):
    """Return a seam of the fake framework: ``models:Model.call``."""
    return Seam(f"fakeframework.{target}", kind, around, "calls are repeated", **rest)


def adapter(*seams, requires="", distribution="fakeframework"):
    """Return an adapter with these seams, of a class of its own."""
    said = {
        "name": "fake",
        "distribution": distribution,
        "requires": requires,
        "seams": seams,
    }
    return type("FakeAdapter", (Adapter,), said)()


class Steps(Listener):
    """Notes the names of the steps that were executed, in order."""

    def __init__(self):
        self.names = []

    def step_started(self, step):
        self.names.append(step.name)


class Plugin:
    """Offers adapters."""

    def __init__(self, *adapters):
        self.adapters = adapters

    @hookimpl
    def register_adapters(self):
        return self.adapters


def host_of(*adapters, listeners=()):
    """Return a host with a journal in memory and no plug-ins but these adapters."""
    plugins = Plugins([Plugin(*adapters)], discover=False)
    return Host("memory:", plugins=plugins, listeners=listeners)


def steps_of(body, *adapters):
    """Run *body* durably; return what it returned and the names of the steps taken."""
    steps = Steps()
    host = host_of(*adapters, listeners=[steps])
    run = host.begin("test", None)
    try:
        outcome = drive(run, body)
    finally:
        host.release(run)
        host.close()
    if outcome.error is not None:
        raise outcome.error
    return outcome.value, steps.names
