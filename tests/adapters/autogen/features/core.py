"""Programs on AutoGen's core: routed agents on a runtime, clients and tools used directly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from autogen_core import (
    AgentId,
    CancellationToken,
    ClosureAgent,
    ClosureContext,
    DefaultSubscription,
    DefaultTopicId,
    FunctionCall,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    default_subscription,
    message_handler,
    rpc,
)
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tool_agent import ToolAgent, ToolExecutionException, tool_agent_caller_loop
from autogen_core.tools import FunctionTool

import durably
from durably.testing import Reply, Rule, When

from ._kit import Kit, feature
from .agents import ADDS, adding


@dataclass
class Text:
    """A message."""

    content: str


class Helper(RoutedAgent):
    """An agent that asks a model with tools, in a loop of its own."""

    def __init__(self, kit: Kit) -> None:
        super().__init__("Helps.")
        self._client = kit.client()
        self._tools = [FunctionTool(adding(kit), "Adds.")]

    @message_handler
    async def handle(self, message: Text, ctx: MessageContext) -> Text:
        """Answer."""
        session: list[Any] = [
            SystemMessage(content="Help."),
            UserMessage(content=message.content, source="user"),
        ]
        while True:
            made = await self._client.create(
                session, tools=self._tools, cancellation_token=ctx.cancellation_token
            )
            if isinstance(made.content, str):
                return Text(made.content)
            session.append(AssistantMessage(content=made.content, source="assistant"))
            results = await asyncio.gather(*(self._call(one, ctx) for one in made.content))
            session.append(FunctionExecutionResultMessage(content=results))

    async def _call(self, call: Any, ctx: MessageContext) -> FunctionExecutionResult:
        import json

        (tool,) = self._tools
        value = await tool.run_json(json.loads(call.arguments), ctx.cancellation_token)
        said = tool.return_value_as_string(value)
        return FunctionExecutionResult(
            call_id=call.id, content=said, is_error=False, name=tool.name
        )


@feature(ADDS, steps="model 2, tool 1")
async def routed_agent(kit: Kit) -> Any:
    runtime = SingleThreadedAgentRuntime()
    await Helper.register(runtime, "helper", lambda: Helper(kit))
    runtime.start()
    answer = await runtime.send_message(Text("2 and 3?"), AgentId("helper", "default"))
    await runtime.stop_when_idle()
    await runtime.close()
    return answer


@default_subscription
class Echo(RoutedAgent):
    """An agent that asks a model about every message that is published, up to three times."""

    def __init__(self, kit: Kit, seen: list[str]) -> None:
        super().__init__("Echoes.")
        self._client, self._seen = kit.client(), seen

    @message_handler
    async def handle(self, message: Text, ctx: MessageContext) -> None:
        """Go on."""
        made = await self._client.create([UserMessage(content=message.content, source="user")])
        self._seen.append(made.content)
        if len(self._seen) < 3:
            await self.publish_message(Text(made.content), DefaultTopicId())


COUNT = [
    Rule(When(user="two"), Reply.text("three")),
    Rule(When(user="one"), Reply.text("two")),
    Rule(When(), Reply.text("one")),
]


@feature(COUNT, steps="model 3")
async def published_messages(kit: Kit) -> Any:
    runtime, seen = SingleThreadedAgentRuntime(), []
    await Echo.register(runtime, "a", lambda: Echo(kit, seen))
    await Echo.register(runtime, "b", lambda: Echo(kit, seen))
    runtime.start()
    await runtime.publish_message(
        Text("zero"), topic_id=TopicId("default", "x"), sender=AgentId("a", "x")
    )
    await runtime.stop_when_idle()
    return seen


@feature(ADDS, steps="model 2, tool 1")
async def tool_agent(kit: Kit) -> Any:
    runtime = SingleThreadedAgentRuntime()
    tool = FunctionTool(adding(kit), "Adds.")
    await ToolAgent.register(runtime, "tools", lambda: ToolAgent("Runs tools.", [tool]))
    runtime.start()
    made = await tool_agent_caller_loop(
        runtime,
        tool_agent_id=AgentId("tools", "default"),
        model_client=kit.client(),
        input_messages=[UserMessage(content="2 and 3?", source="user")],
        tool_schema=[tool.schema],
        cancellation_token=CancellationToken(),
    )
    await runtime.stop()
    return made


@feature(steps="tool 2")
async def failing_tool_agent(kit: Kit) -> Any:
    # What a ToolAgent raises is no Exception, and the runtime hands it to who sent the message.
    async def fail(a: int) -> int:
        """Fail once, then work."""
        kit.note("tried")
        if a == 1:
            raise ValueError("no tea")
        return a

    runtime = SingleThreadedAgentRuntime()
    tool = FunctionTool(fail, "Fails.")
    await ToolAgent.register(runtime, "tools", lambda: ToolAgent("Runs tools.", [tool]))
    runtime.start()
    said: list[str] = []
    for number in (1, 2):
        call = FunctionCall(id=str(number), name="fail", arguments=f'{{"a": {number}}}')
        try:
            result = await runtime.send_message(call, AgentId("tools", "default"))
            said.append(result.content)
        except ToolExecutionException as error:
            said.append(error.content)
    await runtime.stop_when_idle()
    return said


class Boss(RoutedAgent):
    """An agent that asks a person in a handler, and a model with what was said."""

    def __init__(self, kit: Kit) -> None:
        super().__init__("Asks.")
        self._client = kit.client()

    @rpc
    async def handle(self, message: Text, ctx: MessageContext) -> Text:
        """Ask."""
        answer = durably.interrupt({"message": message.content})
        made = await self._client.create([UserMessage(content=answer, source="user")])
        return Text(made.content)


@feature(
    [Rule(When(user="blue"), Reply.text("Sky."))],
    steps="model 1",
    answers={"Colour?": "blue"},
    plain=False,
)
async def person_in_a_handler(kit: Kit) -> Any:
    runtime = SingleThreadedAgentRuntime()
    await Boss.register(runtime, "boss", lambda: Boss(kit))
    runtime.start()
    try:
        return await runtime.send_message(Text("Colour?"), AgentId("boss", "default"))
    finally:
        kit.note("finally")
        await runtime.stop()


@feature(
    [Rule(When(user="blue"), Reply.text("Sky."))],
    steps="model 1",
    answers={"Colour?": "blue"},
    plain=False,
)
async def person_in_a_published_handler(kit: Kit) -> Any:
    runtime, seen = SingleThreadedAgentRuntime(), []

    async def collect(_context: ClosureContext, message: Text, ctx: MessageContext) -> None:
        answer = durably.interrupt({"message": message.content})
        made = await kit.client().create([UserMessage(content=answer, source="user")])
        seen.append(made.content)

    await ClosureAgent.register_closure(
        runtime, "closure", collect, subscriptions=lambda: [DefaultSubscription()]
    )
    runtime.start()
    await runtime.publish_message(Text("Colour?"), DefaultTopicId())
    await runtime.stop_when_idle()
    return seen


class Worker(RoutedAgent):
    """One of several that work at the same time."""

    def __init__(self, kit: Kit) -> None:
        super().__init__("Works.")
        self._client = kit.client()

    @message_handler
    async def handle(self, message: Text, ctx: MessageContext) -> Text:
        """Work."""
        made = await self._client.create([UserMessage(content=message.content, source="user")])
        return Text(f"{self.id.key}: {made.content}")


@feature([Rule(When(), Reply.text("Done."))], steps="model 5", at_once=True)
async def concurrent_agents(kit: Kit) -> Any:
    runtime = SingleThreadedAgentRuntime()
    await Worker.register(runtime, "worker", lambda: Worker(kit))
    runtime.start()
    results = await asyncio.gather(
        *(runtime.send_message(Text(f"Task {n}"), AgentId("worker", f"w{n}")) for n in range(5))
    )
    await runtime.stop_when_idle()
    return results


@feature(COUNT, steps="model 2")
async def two_programs_in_a_row(kit: Kit) -> Any:
    seen = []
    for _ in range(2):
        runtime = SingleThreadedAgentRuntime()
        await Worker.register(runtime, "worker", lambda: Worker(kit))
        await runtime.add_subscription(TypeSubscription("work", "worker"))
        runtime.start()
        seen.append(await runtime.send_message(Text("zero"), AgentId("worker", "w")))
        await runtime.stop()
    return seen


@feature(COUNT, steps="model 4")
async def clients_by_themselves(kit: Kit) -> Any:
    client = kit.client()
    question = [UserMessage(content="zero", source="user")]
    whole = await client.create(question)
    again = await client.create(question)
    pieces = [piece async for piece in client.create_stream(question)]
    sides = await asyncio.gather(client.create([UserMessage(content="one", source="user")]))
    used = [client.total_usage(), client.actual_usage()]
    await client.close()
    return [whole, again, pieces, sides, used]
