"""The adapter's table fits the installed AutoGen, is inert outside of runs, and can be undone."""

from __future__ import annotations

import logging
import subprocess
import sys
import uuid
from datetime import datetime

import autogen_ext.tools.mcp  # noqa: F401 - a seam lies there
import pytest
from autogen_agentchat import messages
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import StructuredMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ChatCompletionClient
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel

from durably.adapting import activate, in_range, installed_version, is_in, problems, uninstall
from durably_autogen import AutoGenAdapter

from .programs import SUM_SCRIPT, Sums, adder, texts


@pytest.fixture
def adapter():
    """Return the adapter, put in; it is in place again after the test."""
    made = AutoGenAdapter()
    activate([made])
    yield made
    activate([made])


@pytest.mark.parametrize("seam", AutoGenAdapter.seams, ids=lambda seam: seam.target)
def test_every_seam_takes_hold(adapter, seam):
    """The installed AutoGen has every seam, optional ones too."""
    assert is_in(seam)


def test_the_installed_version_is_in_the_tested_range(adapter):
    """The range comes from our own distribution's metadata."""
    assert problems(adapter) == []
    assert in_range(adapter, installed_version(adapter))
    assert not in_range(adapter, "0.5.7")
    assert not in_range(adapter, "0.8.0")


def test_the_adapter_can_be_taken_out(adapter):
    """Without the adapter AutoGen's own functions, ids, times and logs are back."""
    patched = OpenAIChatCompletionClient.create
    uninstall(adapter)
    assert OpenAIChatCompletionClient.create is not patched
    assert (messages.uuid, messages.datetime) == (uuid, datetime)
    assert logging.getLogger("autogen_core").filters == []
    assert "__init_subclass__" not in vars(ChatCompletionClient)
    assert not any(is_in(seam) for seam in adapter.seams)


async def test_a_plain_run_is_not_touched(adapter, serve, client):
    """Outside of a run nothing is recorded and everything is called."""
    server, sums = serve(SUM_SCRIPT), Sums()
    for _ in range(2):
        result = await adder(client(server), sums.add).run(task="2 and 3")
        assert texts(result)[-1] == ("adder", "The sum is 5.")
    assert (len(sums.calls), server.count()) == (2, 4)


class Facts(BaseModel):
    """What a structured message holds."""

    number: int


def test_message_classes_can_be_made_while_the_stand_ins_are_in(adapter):
    """A structured message's class is made with AutoGen's module as it is."""
    made = StructuredMessage[Facts](content=Facts(number=7), source="x")
    assert isinstance(made.created_at, datetime)
    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_the_adapter_claims_agents_and_teams(adapter, serve):
    """Agents and teams are claimed by their classes, other objects are not."""
    from .programs import client_of

    agent = AssistantAgent("host", client_of(serve([]).url))
    assert adapter.claims(agent)
    assert adapter.claims(RoundRobinGroupChat([agent]))
    assert not adapter.claims("host")
    assert not adapter.claims(AssistantAgent)


def test_importing_the_adapter_imports_no_framework():
    """A process that only loads the plug-in pays for none of AutoGen."""
    program = (
        "import sys, durably_autogen; from durably_autogen import AutoGenAdapter as A; "
        "A().claims(object()); "
        "print([name for name in sys.modules if name.startswith(('autogen', 'pydantic'))])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert printed.stdout == "[]\n"
