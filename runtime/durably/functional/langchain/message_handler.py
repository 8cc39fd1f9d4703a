"""A langchain-core callback handler that tells what chat models say; it imports langchain-core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.tracers._streaming import _StreamingCallbackHandler

from ...engine import current
from ..streams.lane_namespaces import Lanes

_NO_STREAM = "nostream"

Tell: TypeAlias = Callable[[Lanes, Any, Mapping[str, Any]], None]


class MessageHandler(BaseCallbackHandler, _StreamingCallbackHandler[Any]):
    """Hears chat models; they stream because it is among their handlers.

    Args:
        token: Is told each piece of a message, with the lane of the model's caller.
        whole: Is told each message that is complete.
    """

    run_inline = True

    def __init__(self, token: Tell, whole: Tell) -> None:
        super().__init__()
        self._token = token
        self._whole = whole
        self._models: dict[UUID, tuple[Lanes, dict[str, Any]]] = {}

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Leave a runnable's pieces alone."""
        del run_id
        return output

    def tap_output_iter(self, run_id: UUID, output: Iterator[Any]) -> Iterator[Any]:
        """Leave a runnable's pieces alone."""
        del run_id
        return output

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note where the model was called."""
        del serialized, messages, kwargs
        scope = current()
        if scope is None or is_silent(tags):
            return
        lanes = tuple(filter(None, scope.lane.path.split("/")))
        own = [tag for tag in tags or () if not tag.startswith(("seq:step", "graph:"))]
        self._models[run_id] = (lanes, {**(metadata or {}), **({"tags": own} if own else {})})

    def on_llm_new_token(
        self,
        token: Any,
        *,
        chunk: Any = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Tell a piece of the model's message."""
        del token, kwargs
        if run_id in self._models and isinstance(chunk, ChatGenerationChunk):
            self._tell(self._token, run_id, chunk.message)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell the model's message if it did not come in pieces."""
        del kwargs
        first = response.generations[0] if response.generations else []
        if run_id in self._models and first and isinstance(first[0], ChatGeneration):
            self._tell(self._whole, run_id, first[0].message)
        self._models.pop(run_id, None)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget the model's call."""
        del error, kwargs
        self._models.pop(run_id, None)

    def _tell(self, tell: Tell, run_id: UUID, message: BaseMessage) -> None:
        if message.id is None:
            message.id = str(uuid4())
        lanes, metadata = self._models[run_id]
        tell(lanes, message, metadata)


def is_silent(tags: list[str] | None) -> bool:
    """Return whether a model's tags keep it out of the stream (LangGraph's tag ``nostream``)."""
    return bool(tags) and _NO_STREAM in (tags or ())
