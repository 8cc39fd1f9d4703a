"""Every place in AutoGen where a program's code may ask a person or raise, as a small program each.

A point is a function of an *act*, which is done there, and a client; it returns the agent or team
that comes to it, or a coroutine function for what has neither.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from autogen_agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import FunctionalTermination, MaxMessageTermination
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import (
    AgentId,
    ClosureAgent,
    DefaultSubscription,
    DefaultTopicId,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    message_handler,
)
from autogen_core.memory import ListMemory
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.tools import BaseStreamTool, FunctionTool, StaticStreamWorkbench, StaticWorkbench
from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
from autogen_ext.models.replay import ReplayChatCompletionClient
from pydantic import BaseModel

from durably.testing import Reply, Rule, When

from .features.core import Text
from .features.teams import LEDGER

Act = Callable[[], str]
POINTS: dict[str, Callable[[Act, Any], Any]] = {}

SCRIPT = [
    Rule(When(tool="ask"), Reply.text("Told.")),
    Rule(When(anywhere="write a final answer"), Reply.text("Here it is.")),
    Rule(When(user="is_request_satisfied", anywhere="the answer"), Reply.text(LEDGER % "true")),
    Rule(When(user="is_request_satisfied"), Reply.text(LEDGER % "false")),
    Rule(When(anywhere="select the next role"), Reply.text("writer")),
    Rule(When(system="You call twice"), Reply.tools(("ask", {}), ("ask", {}))),
    Rule(When(system="You call an agent"), Reply.tool("ask", {"task": "?"})),
    Rule(When(system="You call"), Reply.tool("ask")),
    Rule(When(), Reply.text("Something.")),
]


def point(build: Callable[[Act, Any], Any]) -> Callable[[Act, Any], Any]:
    """Register a point."""
    POINTS[build.__name__] = build
    return build


class Custom(BaseChatAgent):
    """An agent that does something in its turn."""

    produced_message_types = (TextMessage,)

    def __init__(self, act: Act, name: str = "writer") -> None:
        super().__init__(name, "Acts.")
        self._act = act

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Response:
        """Do it."""
        return Response(chat_message=TextMessage(content=self._act(), source=self.name))

    async def on_reset(self, cancellation_token: Any) -> None:
        """Do nothing."""


class Streaming(Custom):
    """The same in a stream, after a first event."""

    async def on_messages_stream(self, messages: Any, cancellation_token: Any) -> Any:
        """Do it later."""
        yield TextMessage(content="wait", source=self.name)
        yield await self.on_messages(messages, cancellation_token)


def caller(act: Act, client: Any, system: str = "You call.", **more: Any) -> Any:
    """Return an assistant whose tool acts."""

    async def ask() -> str:
        """Ask."""
        return act()

    tools = {} if "workbench" in more else {"tools": [ask]}
    return AssistantAgent(
        "writer",
        client,
        system_message=system,
        reflect_on_tool_use=True,
        **tools,
        **more,
    )


def talker(client: Any, name: str = "talker", **more: Any) -> Any:
    """Return an assistant that only talks."""
    return AssistantAgent(name, client, system_message="You talk.", **more)


def in_team(agent: Any, **more: Any) -> Any:
    """Return a team of one."""
    return RoundRobinGroupChat([agent], max_turns=1, **more)


@point
def agent_alone(act: Act, client: Any) -> Any:
    return caller(act, client)


@point
def async_tool(act: Act, client: Any) -> Any:
    return in_team(caller(act, client))


@point
def sync_tool(act: Act, client: Any) -> Any:
    def ask() -> str:
        """Ask."""
        return act()

    return in_team(AssistantAgent("writer", client, tools=[ask], system_message="You call."))


@point
def parallel_tools(act: Act, client: Any) -> Any:
    return in_team(caller(act, client, "You call twice."))


@point
def streamed_assistant(act: Act, client: Any) -> Any:
    return in_team(caller(act, client, model_client_stream=True))


class Bench(StaticWorkbench):
    """A workbench that acts instead of its tool."""

    def __init__(self, act: Act) -> None:
        async def ask() -> str:
            """Ask."""
            return ""

        super().__init__([FunctionTool(ask, "Asks.")])
        self._act = act

    async def call_tool(self, *args: Any, **kwargs: Any) -> Any:
        """Act."""
        from autogen_core.tools import TextResultContent, ToolResult

        return ToolResult(name="ask", result=[TextResultContent(content=self._act())])


@point
def own_workbench(act: Act, client: Any) -> Any:
    return in_team(caller(act, client, workbench=Bench(act)))


class Nothing(BaseModel):
    """No arguments."""


class Streamed(BaseStreamTool[Nothing, str, Nothing]):
    """A stream tool that acts in the middle."""

    def __init__(self, act: Act) -> None:
        super().__init__(Nothing, Nothing, "ask", "Asks.")
        self._act = act

    async def run(self, args: Any, cancellation_token: Any) -> Any:
        """Act."""
        self._act()
        return Nothing()

    async def run_stream(self, args: Any, cancellation_token: Any) -> Any:
        """Act in the middle."""
        yield TextMessage(content="wait", source="ask")
        self._act()
        yield Nothing()


@point
def stream_tool(act: Act, client: Any) -> Any:
    return in_team(caller(act, client, workbench=StaticStreamWorkbench([Streamed(act)])))


class Client(ReplayChatCompletionClient):
    """A client of the program's own that acts before it answers."""

    def __init__(self, act: Act, client: Any) -> None:
        super().__init__([])
        self._act, self._inner = act, client

    async def create(self, *args: Any, **kwargs: Any) -> Any:
        """Act, then answer."""
        self._act()
        return await self._inner.create(*args, **kwargs)


@point
def own_client(act: Act, client: Any) -> Any:
    return in_team(talker(Client(act, client)))


@point
def custom_agent(act: Act, client: Any) -> Any:
    return in_team(Custom(act))


@point
def custom_stream(act: Act, client: Any) -> Any:
    return in_team(Streaming(act))


@point
def custom_agent_alone(act: Act, client: Any) -> Any:
    return Custom(act)


class Remembers(ListMemory):
    """A memory that acts when it is asked."""

    act: Any = None

    async def update_context(self, model_context: Any) -> Any:
        """Act."""
        type(self).act()
        return await super().update_context(model_context)


@point
def memory(act: Act, client: Any) -> Any:
    kind = type("Remembering", (Remembers,), {"act": staticmethod(act)})
    return in_team(talker(client, memory=[kind()]))


class Context(UnboundedChatCompletionContext):
    """A model context that acts when it is read."""

    act: Any = None

    async def get_messages(self) -> Any:
        """Act."""
        type(self).act()
        return await super().get_messages()


@point
def model_context(act: Act, client: Any) -> Any:
    kind = type("Acting", (Context,), {"act": staticmethod(act)})
    return in_team(talker(client, model_context=kind()))


@point
def selector_function(act: Act, client: Any) -> Any:
    def choose(messages: Any) -> str:
        act()
        return "writer"

    return SelectorGroupChat(
        [talker(client, "writer"), talker(client)], client, selector_func=choose, max_turns=2
    )


@point
def candidate_function(act: Act, client: Any) -> Any:
    async def candidates(messages: Any) -> list[str]:
        act()
        return ["writer"]

    return SelectorGroupChat(
        [talker(client, "writer"), talker(client)], client, candidate_func=candidates, max_turns=2
    )


@point
def selector_client(act: Act, client: Any) -> Any:
    members = [talker(client, "writer"), talker(client)]
    return SelectorGroupChat(members, Client(act, client), max_turns=1)


@point
def termination_condition(act: Act, client: Any) -> Any:
    def ends(messages: Any) -> bool:
        return messages[-1].source == "talker" and bool(act())

    return RoundRobinGroupChat([talker(client)], termination_condition=FunctionalTermination(ends))


@point
def user_proxy(act: Act, client: Any) -> Any:
    return in_team(UserProxyAgent("writer", input_func=lambda _prompt: act()))


@point
def code_approval(act: Act, client: Any) -> Any:
    from autogen_agentchat.agents import ApprovalResponse

    def approve(request: Any) -> Any:
        return ApprovalResponse(approved=True, reason=act())

    code = "```python\nprint('x')\n```"
    with warnings.catch_warnings(action="ignore"):  # that code may be unsafe
        executor = LocalCommandLineCodeExecutor(work_dir=tempfile.gettempdir())
        agent = CodeExecutorAgent("writer", executor, approval_func=approve)
    return RoundRobinGroupChat([Custom(lambda: code, "coder"), agent], max_turns=2)


def graph(*branches: Any, client: Any, condition: Any = None) -> Any:
    """Return a flow that forks into branches and joins."""
    builder = DiGraphBuilder()
    start, end = talker(client, "start"), talker(client, "end")
    for node in (start, end, *branches):
        builder.add_node(node)
    for branch in branches:
        builder.add_edge(start, branch, condition=condition).add_edge(branch, end)
    return GraphFlow(builder.get_participants(), builder.build())


@point
def graph_branch(act: Act, client: Any) -> Any:
    return graph(caller(act, client), talker(client), client=client)


@point
def graph_two_branches(act: Act, client: Any) -> Any:
    return graph(Custom(act, "one"), Custom(act, "two"), client=client)


@point
def graph_condition(act: Act, client: Any) -> Any:
    return graph(talker(client), client=client, condition=lambda _message: bool(act()))


@point
def nested_team(act: Act, client: Any) -> Any:
    return in_team(in_team(caller(act, client), name="inner"))


@point
def twice_nested_team(act: Act, client: Any) -> Any:
    return in_team(in_team(in_team(Custom(act), name="inner"), name="middle"))


@point
def society_of_mind(act: Act, client: Any) -> Any:
    return in_team(SocietyOfMindAgent("writer", in_team(caller(act, client)), client))


@point
def agent_tool(act: Act, client: Any) -> Any:
    tool = AgentTool(Custom(act, "ask"))
    return in_team(caller(act, client, "You call an agent.", workbench=StaticWorkbench([tool])))


@point
def team_tool(act: Act, client: Any) -> Any:
    tool = TeamTool(in_team(Custom(act), name="ask", description="Asks."), "ask", "Asks.")
    return in_team(caller(act, client, "You call an agent.", workbench=StaticWorkbench([tool])))


@point
def message_filter(act: Act, client: Any) -> Any:
    config = MessageFilterConfig(per_source=[])
    return in_team(MessageFilterAgent("writer", caller(act, client), config))


@point
def swarm(act: Act, client: Any) -> Any:
    agent = caller(act, client)
    return Swarm([agent], termination_condition=MaxMessageTermination(3))


@point
def magentic_one(act: Act, client: Any) -> Any:
    return MagenticOneGroupChat([Custom(act)], client)


@point
def magentic_client(act: Act, client: Any) -> Any:
    return MagenticOneGroupChat([talker(client)], Client(act, client), max_turns=1, max_stalls=0)


@point
def team_on_a_shared_runtime(act: Act, client: Any) -> Any:
    async def program(shape: str) -> Any:
        runtime = SingleThreadedAgentRuntime()
        runtime.start()
        try:
            return await shaped(in_team(Custom(act), runtime=runtime), shape)
        finally:
            await runtime.stop()

    return program


class Handler(RoutedAgent):
    """An agent on the core that acts in a handler."""

    def __init__(self, act: Act) -> None:
        super().__init__("Acts.")
        self._act = act

    @message_handler
    async def handle(self, message: Text, ctx: Any) -> Text:
        """Act."""
        return Text(self._act())


@point
def core_request(act: Act, client: Any) -> Any:
    async def program(shape: str) -> Any:
        runtime = SingleThreadedAgentRuntime()
        await Handler.register(runtime, "handler", lambda: Handler(act))
        runtime.start()
        try:
            return await runtime.send_message(Text("?"), AgentId("handler", "x"))
        finally:
            await runtime.stop()

    return program


@point
def core_publication(act: Act, client: Any) -> Any:
    async def program(shape: str) -> Any:
        runtime, seen = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False), []

        async def collect(_context: Any, message: Text, ctx: Any) -> None:
            seen.append(act())

        await ClosureAgent.register_closure(
            runtime, "closure", collect, subscriptions=lambda: [DefaultSubscription()]
        )
        runtime.start()
        await runtime.publish_message(Text("?"), DefaultTopicId())
        await runtime.stop_when_idle()
        return seen

    return program


async def shaped(target: Any, shape: str) -> Any:
    """Run an agent or a team to its end in one of its ways."""
    if shape == "run":
        return (await target.run(task="Go.")).messages
    return [item async for item in target.run_stream(task="Go.")][-1].messages


def program_of(name: str, act: Act, client: Any) -> Callable[[str], Awaitable[Any]]:
    """Return the program that comes to a point, in the shape that it is given."""

    async def program(shape: str) -> Any:
        target = POINTS[name](act, client)
        return await (target(shape) if not hasattr(target, "run") else shaped(target, shape))

    return program
