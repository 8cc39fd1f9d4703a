"""A real langchain-core ``Runnable`` around an entrypoint; importing this imports that."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args, get_origin, get_type_hints

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs

from ..entrypoint.parted_result import PartedResult


class EntrypointRunnable(Runnable[Any, Any]):
    """Invokes an entrypoint; everything else is langchain-core's own."""

    def __init__(self, flow: Any) -> None:
        self._flow = flow
        self.name = flow.name

    @property
    def InputType(self) -> Any:  # noqa: N802 - langchain-core's name
        """The type of the entrypoint's input."""
        parameters = list(inspect.signature(self._flow.func).parameters)
        return self._hints().get(parameters[0], Any)

    @property
    def OutputType(self) -> Any:  # noqa: N802 - langchain-core's name
        """The type of what the entrypoint returns to its caller."""
        returned = self._hints().get("return", Any)
        made_of = get_origin(returned)
        is_parted = isinstance(made_of, type) and issubclass(made_of, PartedResult)
        return get_args(returned)[0] if is_parted else returned

    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self._flow.func)
        except Exception:
            return {}  # annotations that cannot be looked up say nothing

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Run the entrypoint."""
        return self._flow.invoke(input, merge_configs(config), **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the entrypoint in the running event loop."""
        return await self._flow.ainvoke(input, merge_configs(config), **kwargs)

    def stream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Stream the entrypoint's parts."""
        yield from self._flow.stream(input, merge_configs(config), **kwargs)

    async def astream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Stream the entrypoint's parts in the running event loop."""
        async for part in self._flow.astream(input, merge_configs(config), **kwargs):
            yield part
