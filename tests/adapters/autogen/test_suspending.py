"""The suspend matrix: a question, an error or a dead journal at every point, run and streamed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pytest
from packaging.version import Version

import durably

from .points import POINTS, SCRIPT, program_of
from .test_unwinding import FullDisk, Odd

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

IS_OLD = Version(version("autogen-agentchat")) < Version("0.7")
LACKS_0_6 = {"code_approval", "nested_team", "twice_nested_team", "team_tool"}
"""Points that came with AutoGen 0.7: teams as members and with names, approval of code."""

POINTS_HERE = [one for one in POINTS if not (IS_OLD and one in LACKS_0_6)]
SHAPES = pytest.mark.parametrize("shape", ["run", "stream"])
EVERYWHERE = pytest.mark.parametrize("name", POINTS_HERE)
IN_OWN_CODE = pytest.mark.parametrize("name", [one for one in POINTS_HERE if one != "user_proxy"])
_PATIENCE = 20
_MOST_WAITS = 12


def said(messages):
    """Return what was said, of messages or of anything else."""
    if not isinstance(messages, list):
        return str(messages)
    return [
        (getattr(one, "source", ""), one.to_text() if hasattr(one, "to_text") else one)
        for one in messages
    ]


@dataclass
class Stage:
    """Where a program is driven to a point.

    Attributes:
        drive: Drives a coroutine function durably.
        serve: Serves the script.
        client: Makes a client of a server.
        ran: Which blocks of the program ran.
    """

    drive: Any
    serve: Any
    client: Any
    ran: list[str]

    def body(self, name, shape, act, server=None):
        """Return the program that comes to a point, noting which of its blocks run."""
        program = program_of(name, act, self.client(server or self.serve(SCRIPT)))

        async def noting():
            try:
                return said(await program(shape))
            except Exception:
                self.ran.append("except")
                raise
            finally:
                self.ran.append("finally")

        return noting

    async def driven(self, body, **more):
        """Drive a program, and fail if it hangs."""
        self.ran.clear()
        return await asyncio.wait_for(self.drive(body, **more), _PATIENCE)


@pytest.fixture
def stage(drive, serve, client):
    """Return a stage on a journal in memory."""
    return Stage(drive, serve, client, [])


def nothing_left():
    """Say whether no task but the test's own is there."""
    return asyncio.all_tasks() == {asyncio.current_task()}


@SHAPES
@EVERYWHERE
async def test_a_question_at_any_point_suspends_the_run(stage, caplog, name, shape):
    """It hangs nowhere and leaves nothing; answered, the run ends as a plain one does."""
    asked, server = stage.serve(SCRIPT), stage.serve(SCRIPT)
    plain = await stage.body(name, shape, lambda: "the answer", asked)()
    body = stage.body(name, shape, lambda: str(durably.interrupt({"message": "?"})), server)
    with caplog.at_level(logging.WARNING):
        result, waits = await stage.driven(body), 0
        while isinstance(result, dict):
            waits += 1
            assert stage.ran == ["finally"]
            assert nothing_left()
            assert caplog.records == []
            (first, *_) = result["__interrupt__"]
            result = await stage.driven(body, answers={first.id: "the answer"})
    assert 1 <= waits <= _MOST_WAITS
    if name.startswith("graph"):  # branches may be heard in another order than in a plain run
        result, plain = sorted(result), sorted(plain)
    assert result == plain
    assert server.count() == asked.count()


@SHAPES
@IN_OWN_CODE
async def test_an_odd_error_at_any_point_ends_the_run(stage, name, shape):
    """What AutoGen waits for ever on gets out as itself, and leaves nothing."""

    def act():
        raise Odd("odd")

    with pytest.raises(Odd):
        await stage.driven(stage.body(name, shape, act))
    assert stage.ran == ["finally"]
    assert nothing_left()


@SHAPES
@IN_OWN_CODE
async def test_a_cancellation_that_nobody_asked_for_ends_the_run(stage, name, shape):
    """AutoGen waits for ever on a CancelledError that is raised like an error; it gets out too."""

    def act():
        raise asyncio.CancelledError

    driving = asyncio.create_task(stage.driven(stage.body(name, shape, act)))
    await asyncio.wait({driving})
    assert driving.cancelled()
    assert nothing_left()


@SHAPES
@IN_OWN_CODE
async def test_an_ordinary_error_at_any_point_does_not_hang(stage, name, shape):
    """It is told to the model or raised, and leaves nothing."""

    def act():
        raise ValueError("even")

    driving = asyncio.create_task(stage.driven(stage.body(name, shape, act)))
    await asyncio.wait({driving})
    if driving.exception() is None:
        assert any(word in str(driving.result()) for word in ("even", "Told.", "[]"))
    else:
        assert isinstance(driving.exception(), ValueError | RuntimeError)
        assert "even" in str(driving.exception())
    assert nothing_left()


@SHAPES
@IN_OWN_CODE
async def test_a_journal_that_fails_at_any_point_stops_the_run(stage, name, shape):
    """No step is taken after it, nothing hangs, and the error is the journal's own."""
    storage = FullDisk(1000)
    host = durably.Host(storage)

    def act():
        storage.room = 0
        return str(durably.interrupt({"message": "?"}))

    body = stage.body(name, shape, act)

    @durably.entrypoint(checkpointer=host)
    async def flow(_: str) -> object:
        return await body()

    config = {"configurable": {"thread_id": "t1"}}
    with pytest.raises(durably.StorageError):
        await asyncio.wait_for(flow.ainvoke("go", config), _PATIENCE)
    assert nothing_left()
    host.close()
