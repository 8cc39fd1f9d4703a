"""Puts an agent or a team back into an earlier state, also after its run was torn apart.

A team whose run was unwound cannot go on with its runtime: message handlers were cancelled in the
middle. It gets a new one, in which AutoGen makes new members' containers and a new manager.
"""

from __future__ import annotations

import asyncio
from typing import Any


def is_team(target: Any) -> bool:
    """Say whether *target* is a team rather than an agent."""
    return hasattr(target, "_participants") and hasattr(target, "_team_id")


def of_another_loop(team: Any) -> bool:
    """Say whether the team's queues belong to an event loop that is not the running one."""
    loop = getattr(team._output_message_queue, "_loop", None)
    return loop is not None and loop is not asyncio.get_running_loop()


async def revive(target: Any, state: Any) -> None:
    """Reset *target*, however its last run ended, and load *state* unless it is None."""
    from autogen_core import CancellationToken

    if is_team(target):
        _renew(target)
        await target.reset()
    else:
        _renew_inner(target)
        await target.on_reset(CancellationToken())
    if state is not None:
        await target.load_state(state)


async def renewed(team: Any, state: Any) -> None:
    """Give *team* a runtime of the running event loop, and its conversation in it."""
    _renew(team)
    if state is not None:
        await team.load_state(state)


def _renew(team: Any) -> None:
    for member in team._participants:
        if is_team(member):
            _renew(member)
        else:
            _renew_inner(member)
    team._is_running = False
    if team._embedded_runtime:
        from autogen_core import SingleThreadedAgentRuntime

        team._runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
        team._output_message_queue = asyncio.Queue()
        team._initialized = False


def _renew_inner(agent: Any) -> None:
    """Renew the team inside an agent that speaks for one."""
    team = getattr(agent, "_team", None)
    if team is not None and is_team(team):
        _renew(team)
