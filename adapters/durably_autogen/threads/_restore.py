"""Has an agent or a team forget what it was told, also after its run was torn apart.

A team whose run was unwound cannot go on with its runtime: message handlers were cancelled in the
middle. It gets a new one, in which AutoGen makes new members' containers and a new manager.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ._holders import holders


def is_team(target: Any) -> bool:
    """Say whether *target* is a team rather than an agent."""
    return hasattr(target, "_participants") and hasattr(target, "_team_id")


async def reset(target: Any) -> None:
    """Have *target* forget its conversation by AutoGen's own means, however its last run ended."""
    from autogen_core import CancellationToken

    renew(target)
    if is_team(target):
        await target.reset()
    else:
        await target.on_reset(CancellationToken())


def renew(target: Any) -> None:
    """Give the teams in *target* runtimes without a past, of no event loop yet."""
    for one in holders(target).values():
        if is_team(one):
            _renew(one)


def _renew(team: Any) -> None:
    team._is_running = False
    if team._embedded_runtime:
        from autogen_core import SingleThreadedAgentRuntime

        team._runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
        team._output_message_queue = asyncio.Queue()
        team._initialized = False
