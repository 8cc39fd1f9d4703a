"""Code that an agent has executed: one step for the blocks of a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from durably.adapting import Call, Scope, Seam

_LABEL_LENGTH = 60


async def _execute_code_block(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    code_blocks: Sequence[Any],
    *args: Any,
    **kwargs: Any,
) -> Any:
    if scope.within("code", self.name):
        return await original(self, code_blocks, *args, **kwargs)
    request = [[block.language, block.code] for block in code_blocks]
    step = Call(
        "code", self.name, request, label=_label(code_blocks), effect=True, adapter="autogen"
    )
    return await scope.astep(step, lambda: original(self, code_blocks, *args, **kwargs))


def _label(blocks: Sequence[Any]) -> str:
    """Return the first line of code, for people."""
    if not blocks:
        return ""
    lines = str(blocks[0].code).strip().splitlines() or [""]
    label = f"{blocks[0].language}: {lines[0]}"
    shortened = len(lines) > 1 or len(blocks) > 1 or len(label) > _LABEL_LENGTH
    return f"{label[:_LABEL_LENGTH]} …" if shortened else label


SEAMS = (
    Seam(
        "autogen_agentchat.agents:CodeExecutorAgent.execute_code_block",
        "code",
        _execute_code_block,
        "code is executed again",
        params=("code_blocks",),
        optional=True,
    ),
)
