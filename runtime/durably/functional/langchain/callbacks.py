"""langchain-core's callbacks around runs and tasks, where a program uses them.

Nothing is imported for it: without langchain-core in the process, or without callbacks in the
config, a trace does nothing.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from ...hosting import place_of
from ..injection import FILLED_IN

_CORE = "langchain_core.runnables.config"
_ONE_RUNS = frozenset({"run_name", "run_id"})


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

        config = {**config, "metadata": _metadata(config)}
        manager = core.get_callback_manager_for_config(core.ensure_config(config))  # type: ignore[arg-type]
        self._core = core
        self._run = manager.on_chain_start(
            None, given, name=config.get("run_name") or name, run_id=config.get("run_id")
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


def is_traced_here() -> bool:
    """Say whether callbacks around the calling code would hear of a task."""
    return _CORE in sys.modules and _around() is not None


def traced_task(name: str, func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a task's function, and tell the callbacks around the calling code of it."""
    if _around() is None:
        return func(*args, **kwargs)
    with traced(None, name, _arguments(func, args, kwargs)) as trace:
        try:
            with trace.entered():
                value = func(*args, **kwargs)
        except Exception as error:
            trace.fail(error)
            raise
        return trace.end(value)


async def atraced_task(
    name: str, func: Callable[..., Awaitable[Any]], args: Any, kwargs: Any
) -> Any:
    """Like :func:`traced_task`, for coroutine functions."""
    if _around() is None:
        return await func(*args, **kwargs)
    with traced(None, name, _arguments(func, args, kwargs)) as trace:
        try:
            with trace.entered():
                value = await func(*args, **kwargs)
        except Exception as error:
            trace.fail(error)
            raise
        return trace.end(value)


def _metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config's metadata with what names the run, by which tracers group runs."""
    place = place_of(config)
    names = {
        key: value
        for key, value in place.items()
        if isinstance(value, str | int | float | bool) and not key.startswith("__")
    }
    return {**names, **(config.get("metadata") or {})}


def _arguments(func: Callable[..., Any], args: Any, kwargs: Any) -> dict[str, Any]:
    """Return a call's arguments by their names, without what the runtime filled in."""
    try:
        bound = inspect.signature(func).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return {"args": args, "kwargs": kwargs}
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name not in FILLED_IN}


def _heard(config: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the config to tell of, or None if nobody listens."""
    around = _around()
    if config is None or not config.get("callbacks"):
        if around is None:
            return None
        own = {key: value for key, value in (config or {}).items() if value}
        return {key: value for key, value in around.items() if key not in _ONE_RUNS} | own
    if around is None:
        return config
    merged: Mapping[str, Any] = sys.modules[_CORE].merge_configs(around, config)
    return merged


def _around() -> Mapping[str, Any] | None:
    """Return the config of the langchain run that the calling code is a part of, if it is heard."""
    core = sys.modules.get(_CORE)
    around = core.var_child_runnable_config.get() if core is not None else None
    return around if around and around.get("callbacks") else None
