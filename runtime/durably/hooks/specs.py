"""What a plug-in can add.

Mark a function with :data:`durably.hookimpl`, give it one of these names, and name its module in
the entry-point group ``durably``. Hooks are called when a host starts, never while a step runs:
they hand over objects, which the engine calls directly. Three are called later:
:func:`answer_interrupt` once for each question, :func:`escalate_interrupt` once for each deadline,
and :func:`lend_name` when a program imports a name that ``durably`` itself does not have.

Hooks are asked newest first; what is built in is registered first and so asked last: a user's own
plug-in beats a third party's, and that beats the built-in. ``@hookimpl(tryfirst=True)`` and
``trylast=True`` move one implementation (pluggy's rules).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..markers import hookspec

if TYPE_CHECKING:
    import click

    from ..adapting import Adapter
    from ..engine import Answer, Extension
    from ..journal import Storage, TypeCodec
    from ..listeners import Listener
    from ..types import Interrupt, RunInfo


@hookspec
def register_adapters() -> Iterable[Adapter]:  # type: ignore[empty-body]
    """Return the frameworks that this plug-in makes durable. Must not import them."""


@hookspec
def register_codecs() -> Iterable[TypeCodec[Any]]:  # type: ignore[empty-body]
    """Return codecs for types that no adapter owns."""


@hookspec
def register_listeners() -> Iterable[Listener]:  # type: ignore[empty-body]
    """Return objects that watch runs."""


@hookspec
def register_commands(commands: click.Group) -> None:
    """Add subcommands to the ``durably`` command."""


@hookspec(firstresult=True)
def open_storage(url: str) -> Storage | None:
    """Open the journal at *url*, or return None if the scheme is not this plug-in's."""


@hookspec(firstresult=True)
def open_cache(url: str) -> Any | None:
    """Open the step cache at *url*, or return None."""


@hookspec(firstresult=True)
def open_store(url: str) -> Any | None:
    """Open the long-term memory at *url*, or return None."""


@hookspec(firstresult=True)
def answer_interrupt(interrupt: Interrupt, run: RunInfo) -> Answer | None:
    """Answer a question at once, or return None to let the run wait.

    The answer goes into the journal as if a person had given it.
    """


@hookspec(firstresult=True)
def escalate_interrupt(interrupt: Interrupt, run: RunInfo) -> Answer | Extension | None:
    """Say what becomes of a question whose deadline is over, before its default is taken.

    An ``Answer`` decides it, an ``Extension`` has it wait longer, None leaves it to the default.
    Asked by whoever continues the run after the deadline.
    """


@hookspec(firstresult=True)
def price(model: str, usage: Mapping[str, Any]) -> float | None:
    """Return what a model call cost in USD, or None if this plug-in does not know."""


@hookspec(firstresult=True)
def lend_name(name: str) -> object:
    """Return the object that ``from durably import name`` is to import, or None."""
