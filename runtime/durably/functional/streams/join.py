"""An entrypoint's run as its journal tells it, in the shapes of the entrypoint's own streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...hosting import Following, Host, joinable, named_thread
from ...types import Interrupt
from ..state.history import History
from .parts import Emit, Part, Teller, chosen


class _Heard:
    """Tells a teller what a journal tells of a run."""

    def __init__(self, teller: Teller, name: str, saved: Callable[[], Any]) -> None:
        self._teller = teller
        self._name = name
        self._saved = saved

    def began(self, run: str, given: Any) -> None:
        self._teller.is_about(run, self._name)
        self._teller.began(self._name, given)

    def take(self, mode: str, lanes: tuple[str, ...], data: Any) -> None:
        self._teller.take(mode, lanes, data)

    def waits(self, interrupts: tuple[Interrupt, ...]) -> None:
        saved = self._saved() if "values" in self._teller.modes else None
        self._teller.waits(self._name, interrupts, saved=saved)

    def done(self, value: Any) -> None:
        self._teller.done(self._name, value)

    def failed(self, error: BaseException) -> None:
        self._teller.failed(self._name, error)


def joining(
    host: Host,
    name: str,
    config: Mapping[str, Any],
    mode: str | list[str] | tuple[str, ...],
    *,
    subgraphs: bool,
    timeout: float | None,
) -> Following[Part]:
    """Return the stream of a thread's newest run; see :meth:`Entrypoint.join_stream`.

    Raises:
        ValueError: There is no such mode, or the journal does not tell of it.
    """
    modes = joinable(chosen(mode))

    def hearer(emit: Emit) -> _Heard:
        teller = Teller(modes, subgraphs=subgraphs, emit=emit, metadata={})
        return _Heard(teller, name, lambda: History(host, name).state(config).values)

    return Following(host.journal, named_thread(config), hearer, timeout)
