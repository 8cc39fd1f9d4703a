"""A support desk as an AutoGen team: a planner, a worker with two tools, a reviewer.

    OPENAI_API_KEY=… python demo_team.py [--stream]

Mails are lines in the file that OUTBOX names.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_agentchat.teams import SelectorGroupChat
from autogen_core.models import ModelInfo
from autogen_ext.models.openai import OpenAIChatCompletionClient

ORDERS = {
    "1042": "Order 1042: two teapots, customer Ada Moss <ada@example.com>, lost in transit.",
}
TASK = "Order 1042 has not arrived. Find out why and write one mail to the customer."


async def look_up_order(number: str) -> str:
    """Look up an order by its number."""
    return ORDERS.get(number, "Nothing found.")


def send_mail(to: str, body: str) -> str:
    """Send a mail to a customer."""
    with Path(os.environ.get("OUTBOX", "outbox.txt")).open("a", encoding="utf-8") as outbox:
        outbox.write(f"{to}: {body}\n")
    return f"Sent to {to}."


def build_model() -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(
        model="gpt-4o-mini",
        base_url=os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
        model_info=ModelInfo(
            vision=False,
            function_calling=True,
            json_output=True,
            family="gpt-4o",
            structured_output=True,
        ),
    )


def build_team(model: OpenAIChatCompletionClient, *, stream: bool) -> SelectorGroupChat:
    planner = AssistantAgent(
        "planner",
        model_client=model,
        model_client_stream=stream,
        description="Plans what to do; speaks first.",
        system_message="You are the planner. Say in one sentence what the worker must do.",
    )
    worker = AssistantAgent(
        "worker",
        model_client=model,
        model_client_stream=stream,
        tools=[look_up_order, send_mail],
        max_tool_iterations=4,
        description="Looks orders up and sends mails.",
        system_message="You are the worker. Use your tools; then say what you did.",
    )
    reviewer = AssistantAgent(
        "reviewer",
        model_client=model,
        model_client_stream=stream,
        description="Checks the worker's result.",
        system_message="You are the reviewer. Say APPROVED when the case is closed.",
    )
    return SelectorGroupChat(
        [planner, worker, reviewer],
        model_client=model,
        model_client_streaming=stream,
        termination_condition=TextMentionTermination("APPROVED", sources=["reviewer"])
        | MaxMessageTermination(20),
    )


def show(item: BaseAgentEvent | BaseChatMessage | TaskResult) -> None:
    if isinstance(item, TaskResult):
        print(f"stopped: {item.stop_reason}")
    elif isinstance(item, ToolCallRequestEvent):
        for call in item.content:
            print(f"{item.source}: {call.name}({call.arguments})")
    elif isinstance(item, ToolCallExecutionEvent):
        for result in item.content:
            print(f"{item.source}: {result.name} -> {result.content}")
    elif isinstance(item, BaseChatMessage):
        print(f"{item.source}: {item.to_text()}")


async def run(*, stream: bool) -> None:
    model = build_model()
    team = build_team(model, stream=stream)
    if stream:
        async for item in team.run_stream(task=TASK):
            show(item)
    else:
        result = await team.run(task=TASK)
        for message in result.messages:
            show(message)
        show(result)
    await model.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Handle a lost order with a team of three.")
    parser.add_argument("--stream", action="store_true", help="stream the model's answers")
    asyncio.run(run(stream=parser.parse_args().stream))


if __name__ == "__main__":
    main()
