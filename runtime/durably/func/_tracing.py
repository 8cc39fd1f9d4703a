"""langchain-core's callbacks around runs and tasks, where a program uses them.

Nothing is imported for it: without langchain-core in the process, or without callbacks in the
config, a trace does nothing.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

_CORE = "langchain_core.runnables.config"


class Traced:
    """A run or task that callbacks hear of; this one has nobody to tell."""

    @contextmanager
    def entered(self) -> Generator[None]:
        """Make what is called inside the block a child of this one."""
        yield

    def end(self, value: Any) -> Any:
        """Tell the value, and return it."""
        return value

    def fail(self, error: BaseException) -> None:
        """Tell what it failed with."""
        del error


class _Told(Traced):
    """A run or task whose callbacks are told."""

    def __init__(self, config: Mapping[str, Any], name: str, given: Any) -> None:
        from langchain_core.runnables import config as core

        manager = core.get_callback_manager_for_config(core.ensure_config(config))  # type: ignore[arg-type]
        self._core = core
        self._run = manager.on_chain_start(
            None, given, name=name, run_id=(config.get("run_id") or None)
        )
        self._child = core.patch_config(config, callbacks=self._run.get_child())  # type: ignore[arg-type]

    @contextmanager
    def entered(self) -> Generator[None]:
        before = self._core.var_child_runnable_config.get()
        self._core.var_child_runnable_config.set(self._child)
        try:
            yield
        finally:
            self._core.var_child_runnable_config.set(before)

    def end(self, value: Any) -> Any:
        self._run.on_chain_end(value)
        return value

    def fail(self, error: BaseException) -> None:
        self._run.on_chain_error(error)


@contextmanager
def traced(config: Mapping[str, Any] | None, name: str, given: Any) -> Generator[Traced]:
    """Tell the config's callbacks, or those of the langchain run around it, of a run.

    Args:
        config: The run's config.
        name: What it is called.
        given: Its input.
    """
    merged = _heard(config)
    if merged is None:
        yield Traced()
        return
    told = _Told(merged, name, given)
    try:
        yield told
    except Exception:
        raise
    except BaseException as error:  # a suspension or cancellation: the trace must not stay open
        with contextlib.suppress(Exception):
            told.fail(error)
        raise


def heard_here(config: dict[str, Any]) -> dict[str, Any]:
    """Return *config* with the callbacks of what the calling code is a part of.

    What is invoked with it is told as a child of the task or entrypoint around the call.
    """
    around = _around()
    return {**config, "callbacks": around["callbacks"]} if around is not None else config


def child_trace(name: str, given: Any) -> contextlib.AbstractContextManager[Traced]:
    """Tell the callbacks around the calling code of a task."""
    return traced(None, name, given)


def _heard(config: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the config to tell of, or None if nobody listens."""
    around = _around()
    if config is None or not config.get("callbacks"):
        return {**around, **{k: v for k, v in (config or {}).items() if v}} if around else None
    if around is None:
        return config
    merged: Mapping[str, Any] = sys.modules[_CORE].merge_configs(around, config)
    return merged


def _around() -> Mapping[str, Any] | None:
    """Return the config of the langchain run that the calling code is a part of, if it is heard."""
    core = sys.modules.get(_CORE)
    around = core.var_child_runnable_config.get() if core is not None else None
    return around if around and around.get("callbacks") else None
