"""Model clients of every provider, caches, scripted ones; what they count, retry and stream."""

from __future__ import annotations

from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_core import Image
from autogen_core.model_context import BufferedChatCompletionContext
from autogen_core.models import CreateResult, RequestUsage, UserMessage
from autogen_core.tools import FunctionTool
from autogen_ext.models.anthropic import AnthropicChatCompletionClient
from autogen_ext.models.cache import ChatCompletionCache
from autogen_ext.models.ollama import OllamaChatCompletionClient
from autogen_ext.models.openai import AzureOpenAIChatCompletionClient
from autogen_ext.models.replay import ReplayChatCompletionClient
from PIL import Image as Picture

from durably.testing import Reply, Rule, When

from ..programs import INFO
from ._kit import Kit, feature
from .agents import ADDS, Fact, adding


async def used(kit: Kit, client: Any) -> Any:
    """Use a client as agents and programs do: with tools, streamed, alone."""
    agent = AssistantAgent("adder", client, tools=[adding(kit)], reflect_on_tool_use=True)
    first = await agent.run(task="2 and 3?")
    streaming = AssistantAgent(
        "streamer",
        client,
        tools=[adding(kit)],
        reflect_on_tool_use=True,
        model_client_stream=True,
    )
    second = [item async for item in streaming.run_stream(task="2 and 3, streamed?")]
    totals = [client.total_usage(), client.actual_usage()]
    await client.close()
    return [first, second, totals]


@feature(ADDS, steps="model 4, tool 2")
async def openai_client(kit: Kit) -> Any:
    return await used(kit, kit.client(include_name_in_message=False))


@feature(ADDS, steps="model 4, tool 2")
async def azure_client(kit: Kit) -> Any:
    client = AzureOpenAIChatCompletionClient(
        model="gpt-4o-mini",
        azure_deployment="deployed",
        azure_endpoint=kit.host,
        api_version="2024-06-01",
        api_key="any",
        model_info=INFO,
    )
    return await used(kit, client)


@feature(ADDS, steps="model 4, tool 2")
async def anthropic_client(kit: Kit) -> Any:
    client = AnthropicChatCompletionClient(
        model="claude-3-5-sonnet-latest", api_key="any", base_url=kit.host, model_info=INFO
    )
    return await used(kit, client)


@feature(ADDS, steps="model 4, tool 2")
async def ollama_client(kit: Kit) -> Any:
    return await used(
        kit, OllamaChatCompletionClient(model="llama3.2", host=kit.host, model_info=INFO)
    )


@feature([Rule(When(), Reply.text('{"number": 42, "why": "it is"}'))], steps="model 3")
async def structured_answers(kit: Kit) -> Any:
    client, question = kit.client(), [UserMessage(content="The number?", source="user")]
    made = await client.create(question, json_output=Fact)
    mode = await client.create(question, json_output=True)
    pieces = [piece async for piece in client.create_stream(question, json_output=Fact)]
    return [made, mode, pieces]


@feature([Rule(When(), Reply.text("Red."))], steps="model 1")
async def pictures(kit: Kit) -> Any:
    picture = Image.from_pil(Picture.new("RGB", (2, 2), "red"))
    return await kit.client().create([UserMessage(content=["Colour?", picture], source="user")])


@feature([Rule(When(), Reply.text("Hello."))], steps="model 1")
async def cache_of_a_program(kit: Kit) -> Any:
    client = ChatCompletionCache(kit.client())
    question = [UserMessage(content="Hello?", source="user")]
    return [
        await client.create(question),
        await client.create(question),
        [piece async for piece in client.create_stream(question)],
        client.total_usage(),
    ]


def answered(text: str) -> CreateResult:
    """Return an answer."""
    usage = RequestUsage(prompt_tokens=3, completion_tokens=2)
    return CreateResult(finish_reason="stop", content=text, usage=usage, cached=False)


@feature(steps="model 4")
async def scripted_client(kit: Kit) -> Any:
    client = ReplayChatCompletionClient(["one", answered("two"), "three words here", "four"])
    question = [UserMessage(content="Next?", source="user")]
    seen = [await client.create(question), await client.create(question)]
    seen += [piece async for piece in client.create_stream(question)]
    agent = AssistantAgent("host", client)
    return [*seen, await agent.run(task="Next?"), client.total_usage()]


@feature(
    [Rule(When(), Reply.error(429, retry_after=0), times=1), Rule(When(), Reply.text("Hello."))],
    steps="model 1",
)
async def a_client_that_retries_by_itself(kit: Kit) -> Any:
    return await AssistantAgent("host", kit.client(max_retries=2)).run(task="Hello?")


@feature([Rule(When(), Reply.text("<think>Let me see.</think>Done."))], steps="model 2")
async def thoughts(kit: Kit) -> Any:
    client = kit.client(model="deepseek-r1")
    client._model_info = {**client._model_info, "family": "r1"}
    question = [UserMessage(content="Well?", source="user")]
    whole = await client.create(question)
    return [whole, [piece async for piece in client.create_stream(question)]]


@feature([Rule(When(), Reply.text("Hello."))], steps="model 3")
async def buffered_context(kit: Kit) -> Any:
    agent = AssistantAgent("host", kit.client(), model_context=BufferedChatCompletionContext(2))
    return [await agent.run(task=f"Line {n}.") for n in range(3)]


@feature(ADDS, steps="model 1")
async def tools_given_as_schemas(kit: Kit) -> Any:
    tool = FunctionTool(adding(kit), "Adds.")
    question = [UserMessage(content="2 and 3?", source="user")]
    return await kit.client().create(question, tools=[tool.schema], tool_choice=tool)
