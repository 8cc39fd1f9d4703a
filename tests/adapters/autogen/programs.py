"""Programs as AutoGen's users write them, and the scripts of the models that they ask."""

from __future__ import annotations

from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core.models import ModelInfo
from autogen_ext.models.openai import OpenAIChatCompletionClient

from durably.testing import Reply, Rule, When

INFO = ModelInfo(
    vision=True,
    function_calling=True,
    json_output=True,
    family="gpt-4o",
    structured_output=True,
    multiple_system_messages=True,
)


def client_of(url, **more):
    """Return a model client that asks the scripted server at *url*."""
    arguments = {"model": "gpt-4o-mini", "api_key": "any", "max_retries": 0, **more}
    return OpenAIChatCompletionClient(base_url=url, model_info=INFO, **arguments)


class Sums:
    """A tool that remembers how often it was really called."""

    def __init__(self):
        self.calls = []

    async def add(self, a: int, b: int) -> int:
        """Add two numbers."""
        self.calls.append((a, b))
        return a + b


SUM_SCRIPT = [
    Rule(When(tool="add"), Reply.text("The sum is 5.")),
    Rule(When(user="2 and 3"), Reply.tool("add", {"a": 2, "b": 3})),
    Rule(When(user="weather"), Reply.text("Sunny.")),
]


def adder(client, tool, **more):
    """Return an agent that adds with a tool and says so."""
    return AssistantAgent("adder", model_client=client, tools=[tool], max_tool_iterations=3, **more)


CHAT_SCRIPT = [
    Rule(When(anywhere="select the next role", system="I wrote it."), Reply.text("critic")),
    Rule(When(anywhere="select the next role"), Reply.text("writer")),
    Rule(When(system="You write", anywhere="Again"), Reply.text("I wrote it better.")),
    Rule(When(system="You write"), Reply.text("I wrote it.")),
    Rule(When(system="You judge", anywhere="better"), Reply.text("APPROVE")),
    Rule(When(system="You judge"), Reply.text("Again, please.")),
]


def writers(client, *, stream=False):
    """Return a writer and a critic."""
    return [
        AssistantAgent(
            "writer", model_client=client, model_client_stream=stream, system_message="You write."
        ),
        AssistantAgent(
            "critic", model_client=client, model_client_stream=stream, system_message="You judge."
        ),
    ]


def round_robin(client, *, stream=False):
    """Return a team whose members take turns."""
    stop = TextMentionTermination("APPROVE") | MaxMessageTermination(10)
    return RoundRobinGroupChat(writers(client, stream=stream), termination_condition=stop)


def selector(client, *, stream=False):
    """Return a team whose model chooses who speaks."""
    return SelectorGroupChat(
        writers(client, stream=stream),
        model_client=client,
        model_client_streaming=stream,
        termination_condition=MaxMessageTermination(3),
    )


def never_asked(prompt):
    """Stand in for a terminal that nobody sits at."""
    raise AssertionError(f"the program asked {prompt!r} by itself")


def reviewed(client, input_func=never_asked):
    """Return a team in which a person has the last word."""
    writer = writers(client)[0]
    person = UserProxyAgent("boss", input_func=input_func)
    stop = TextMentionTermination("APPROVE", sources=["boss"])
    return RoundRobinGroupChat([writer, person], termination_condition=stop)


def texts(result):
    """Return who said what; requests for input say nothing."""
    said = [(message.source, message.to_text()) for message in result.messages]
    return [(source, text) for source, text in said if text]
