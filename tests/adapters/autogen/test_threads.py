"""A thread's conversation belongs to it, for every kind of wrapped object, whatever ran between."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import json

import pytest
from autogen_agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    SocietyOfMindAgent,
)
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import ExternalTermination, MaxMessageTermination
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.tools import AgentTool
from autogen_core.code_executor import CodeBlock, CodeResult
from autogen_core.memory import ListMemory, MemoryContent
from autogen_core.model_context import BufferedChatCompletionContext

import durably
from durably.testing import Reply, Rule, When

from .programs import texts

PIN = "my PIN is 1234"
LEDGER = json.dumps(
    {
        key: {"reason": "so", "answer": answer}
        for key, answer in {
            "is_request_satisfied": False,
            "is_in_loop": False,
            "is_progress_being_made": True,
            "next_speaker": "a",
            "instruction_or_question": "Go on.",
        }.items()
    }
)
SCRIPT = [
    Rule(When(anywhere="JSON"), Reply.text(LEDGER)),
    Rule(When(anywhere="select the next role"), Reply.text("a")),
    Rule(When(tool="helper"), Reply.text("helped")),
    Rule(When(system="You delegate"), Reply.tool("helper", {"task": "help with this"})),
    Rule(When(), Reply.text("noted")),
]


def on(thread):
    """Return a config for a thread."""
    return {"configurable": {"thread_id": thread}}


class Notes(BaseChatAgent):
    """An agent of a program's own, which keeps what it heard in its attributes."""

    def __init__(self, name="notes"):
        super().__init__(name, "Takes notes.")
        self.heard = []
        self.turns = 0

    @property
    def produced_message_types(self):
        return (TextMessage,)

    async def on_messages(self, messages, cancellation_token):
        del cancellation_token
        self.heard += [message.to_text() for message in messages]
        self.turns += 1
        text = f"{self.turns}: {'; '.join(self.heard)}"
        return Response(chat_message=TextMessage(content=text, source=self.name))

    async def on_reset(self, cancellation_token):
        del cancellation_token


class Saving(Notes):
    """The same, but it says itself what its state is."""

    async def save_state(self):
        return {"heard": self.heard, "turns": self.turns}

    async def load_state(self, state):
        self.heard, self.turns = list(state["heard"]), state["turns"]

    async def on_reset(self, cancellation_token):
        del cancellation_token
        self.heard, self.turns = [], 0


class NoCode:
    """An executor of code that is never asked for any."""

    timeout = 1

    async def execute_code_blocks(self, code_blocks: list[CodeBlock], cancellation_token):
        del code_blocks, cancellation_token
        return CodeResult(exit_code=0, output="")

    async def start(self): ...

    async def stop(self): ...

    async def restart(self): ...


def assistant(model, name="a", **more):
    return AssistantAgent(name, model, **more)


def two_turns(members, cls=RoundRobinGroupChat, **more):
    return cls(members, termination_condition=MaxMessageTermination(2), **more)


def graph_of(model):
    first, second = assistant(model), assistant(model, "b")
    builder = DiGraphBuilder().add_node(first).add_node(second).add_edge(first, second)
    return GraphFlow([first, second], builder.build())


def filtered(model):
    inner = assistant(model)
    return MessageFilterAgent("filter", inner, MessageFilterConfig(per_source=[]))


def unfiltered(model):
    """Return an agent around another one that AutoGen does not save the state of."""
    agent = filtered(model)
    agent._apply_filter = lambda messages: messages
    return agent


KINDS = {
    "agent": assistant,
    "agent with a buffered context": lambda m: assistant(
        m, model_context=BufferedChatCompletionContext(9)
    ),
    "round robin": lambda m: two_turns([assistant(m)]),
    "selector": lambda m: two_turns(
        [assistant(m), assistant(m, "b")], SelectorGroupChat, model_client=m
    ),
    "swarm": lambda m: two_turns([assistant(m)], Swarm),
    "graph": graph_of,
    "magentic one": lambda m: MagenticOneGroupChat([assistant(m)], m, max_turns=2),
    "nested team": lambda m: two_turns([two_turns([assistant(m)])]),
    "society of mind": lambda m: SocietyOfMindAgent("mind", two_turns([assistant(m)]), m),
    "society of mind in a team": lambda m: two_turns(
        [SocietyOfMindAgent("mind", two_turns([assistant(m)]), m)]
    ),
    "message filter": unfiltered,
    "code executor": lambda m: CodeExecutorAgent("coder", NoCode(), model_client=m),
    "agent as a tool": lambda m: assistant(
        m,
        system_message="You delegate.",
        tools=[AgentTool(assistant(m, "helper", description="Helps."))],
        max_tool_iterations=2,
    ),
}


@pytest.mark.filterwarnings("ignore:No approval function", "ignore:Pydantic serializer")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_thread_begins_with_the_object_and_goes_on_with_its_own(host, serve, client, kind):
    """Bob's model never sees Alice's words; Alice's does again, also from a fresh object."""
    server = serve(SCRIPT)
    model = client(server, parallel_tool_calls=False)
    wrapped = durably.wrap(KINDS[kind](model), checkpointer=host)

    async def seen(one, text, thread):
        before = len(server.requests)
        await one.ainvoke(text, on(thread))
        return [json.dumps(request.body["messages"]) for request in server.requests[before:]]

    await seen(wrapped, PIN, "alice")
    bob = await seen(wrapped, "hello", "bob")
    assert bob
    assert not any("1234" in one for one in bob)
    plain_target = KINDS[kind](model)
    before = len(server.requests)
    await plain_target.run(task="hello")
    plain = [json.dumps(request.body["messages"]) for request in server.requests[before:]]
    assert bob == plain

    before = len(server.requests)
    await KINDS[kind](model).run(task="x")
    fresh = durably.wrap(KINDS[kind](model), checkpointer=host)
    alice = await seen(fresh, "what did I say?", "alice")
    remembers = await _plain_second(KINDS[kind](model), server)
    assert [len(json.loads(one)) for one in alice] == [len(json.loads(one)) for one in remembers]
    assert any("1234" in one for one in alice) == any("1234" in one for one in remembers)
    assert not any("1234" in one for one in await seen(wrapped, "hello again", "bob"))


async def _plain_second(target, server):
    """Return what a model sees in the second of two plain runs of one object."""
    await target.run(task=PIN)
    before = len(server.requests)
    await target.run(task="what did I say?")
    return [json.dumps(request.body["messages"]) for request in server.requests[before:]]


@pytest.mark.parametrize("made", [Notes, Saving])
async def test_an_agent_of_the_programs_own_has_a_conversation_per_thread(host, made):
    """What it keeps in its attributes, or saves itself, is the thread's."""
    wrapped = durably.wrap(made(), checkpointer=host)
    await wrapped.ainvoke(PIN, on("alice"))
    bob = await wrapped.ainvoke("hello", on("bob"))
    alice = await durably.wrap(made(), checkpointer=host).ainvoke("again", on("alice"))
    assert texts(bob)[-1] == ("notes", "1: hello")
    assert texts(alice)[-1] == ("notes", f"2: {PIN}; again")


@pytest.mark.parametrize("made", [Notes, Saving])
async def test_conversations_of_runs_that_overlap_are_apart(host, made):
    """Three threads in gathered tasks, twice: each agent's notes are of its thread."""
    wrapped = durably.wrap(two_turns([made()]), checkpointer=host)
    names = ["ann", "bob", "cyd"]
    for turn in (1, 2):
        results = await asyncio.gather(
            *(wrapped.ainvoke(f"I am {name}", on(name)) for name in names)
        )
        for name, result in zip(names, results, strict=True):
            count, _, heard = texts(result)[-1][1].partition(": ")
            assert count == str(turn)
            assert heard.count(f"I am {name}") == turn
            assert not any(other in heard for other in names if other != name)


async def test_the_object_is_left_as_its_program_made_it(host, serve, client):
    """After a run a plain one of the same object, and another wrapped team, know nothing of it."""
    server = serve(SCRIPT)
    agent = assistant(client(server))
    team = two_turns([agent])
    await durably.wrap(team, checkpointer=host).ainvoke(PIN, on("alice"))
    assert await agent.model_context.get_messages() == []
    other = durably.wrap(two_turns([agent], name="Other"), checkpointer=host)
    await other.ainvoke("hello", on("bob"))
    await team.run(task="hello")
    assert not any("1234" in json.dumps(one.body) for one in server.requests[1:])


async def test_a_conversation_that_the_program_began_is_each_threads_beginning(host, serve, client):
    """What was said before the object was wrapped is part of every thread."""
    server = serve(SCRIPT)
    team = two_turns([assistant(client(server))])
    await team.run(task="we sell tea")
    wrapped = durably.wrap(team, checkpointer=host)
    for thread in ("alice", "bob", "alice"):
        await wrapped.ainvoke(f"I am {thread}", on(thread))
    seen = [json.dumps(one.body["messages"]) for one in server.requests[1:]]
    assert ["we sell tea" in one for one in seen] == [True] * 3
    assert ["I am alice" in one for one in seen] == [True, False, True]
    assert seen[2].count("I am alice") == 2


async def test_what_a_termination_condition_counted_is_the_threads(host, serve, client):
    """A count that a run's limit of turns left in the middle goes on in its own thread only."""

    def made():
        members = [assistant(client(server)), assistant(client(server), "b")]
        stop = MaxMessageTermination(5)
        return RoundRobinGroupChat(members, termination_condition=stop, max_turns=2)

    server = serve(SCRIPT)
    wrapped = durably.wrap(made(), checkpointer=host)
    plain = made()
    expected = [len((await plain.run(task="x")).messages) for _ in range(3)]
    got = []
    for _ in range(3):
        for thread in ("alice", "bob"):
            got.append(len((await wrapped.ainvoke("x", on(thread))).messages))
        wrapped = durably.wrap(made(), checkpointer=host)
    assert got == [count for count in expected for _ in range(2)]


async def test_a_termination_from_outside_reaches_runs_of_copies(host, serve, client):
    """A program that sets its ExternalTermination ends the runs that overlap, too."""
    server = serve(SCRIPT)
    outside = ExternalTermination()
    stop = outside | MaxMessageTermination(60)
    team = RoundRobinGroupChat([assistant(client(server))], termination_condition=stop)
    wrapped = durably.wrap(team, checkpointer=host)
    runs = [asyncio.ensure_future(wrapped.ainvoke("x", on(str(n)))) for n in range(2)]
    async with asyncio.timeout(20):
        while server.count() < 2:  # noqa: ASYNC110 - the server is in another thread
            await asyncio.sleep(0)
    outside.set()
    ended = await asyncio.gather(*runs)
    assert all(len(one.messages) < 60 for one in ended)


@pytest.mark.parametrize("overlap", [False, True])
async def test_a_memory_of_the_process_is_the_threads(host, serve, client, overlap):
    """What a tool puts into a memory of the agent stays in the thread, also in a fresh process."""
    server = serve(
        [
            Rule(When(tool="learn"), Reply.text("learnt")),
            Rule(When(user="I am alice"), Reply.tool("learn", {"fact": "alice likes tea"})),
            Rule(When(user="I am bob"), Reply.tool("learn", {"fact": "bob likes ale"})),
            Rule(When(), Reply.text("well")),
        ]
    )

    def made():
        memory = ListMemory()

        async def learn(fact: str) -> str:
            """Learn a fact."""
            await memory.add(MemoryContent(content=fact, mime_type="text/plain"))
            return "ok"

        agent = assistant(client(server), memory=[memory], tools=[learn], max_tool_iterations=2)
        return memory, durably.wrap(agent, checkpointer=host)

    memory, wrapped = made()
    await memory.add(MemoryContent(content="prices in euro", mime_type="text/plain"))
    calls = [wrapped.ainvoke(f"I am {name}", on(name)) for name in ("alice", "bob")]
    if overlap:
        await asyncio.gather(*calls)
    else:
        for call in calls:
            await call
    assert len(memory.content) == 1
    _, fresh = made()
    for name, fact, other in (
        ("alice", "likes tea", "likes ale"),
        ("bob", "likes ale", "likes tea"),
    ):
        before = len(server.requests)
        await fresh.ainvoke("what now?", on(name))
        seen = json.dumps(server.requests[before].body["messages"])
        assert fact in seen
        assert other not in seen
        assert "prices in euro" in seen


async def test_what_the_program_adds_to_a_memory_reaches_every_thread(host, serve, client):
    """A fact that the program adds between two runs is seen by threads old and new."""
    server = serve([Rule(When(), Reply.text("well"))])
    memory = ListMemory()
    wrapped = durably.wrap(assistant(client(server), memory=[memory]), checkpointer=host)
    await wrapped.ainvoke("hello", on("alice"))
    await memory.add(MemoryContent(content="closed on Monday", mime_type="text/plain"))
    for thread in ("alice", "bob"):
        await wrapped.ainvoke("hello", on(thread))
        assert "closed on Monday" in json.dumps(server.requests[-1].body["messages"])


@pytest.mark.parametrize("kind", ["agent", "round robin"])
async def test_a_failed_run_is_no_part_of_the_conversation(host, serve, client, kind):
    """A new input after a failure begins where the thread was before it."""
    server = serve([Rule(When(user="bad"), Reply.error(400)), *SCRIPT])
    wrapped = durably.wrap(KINDS[kind](client(server)), checkpointer=host)
    await wrapped.ainvoke(PIN, on("alice"))
    with pytest.raises(Exception, match="400"):
        await wrapped.ainvoke("bad", on("alice"))
    await wrapped.ainvoke("good", on("alice"))
    said = json.dumps(server.requests[-1].body["messages"])
    assert "1234" in said
    assert "bad" not in said


async def test_a_conversation_that_does_not_fit_is_refused(host, serve, client):
    """A team without a member that the thread's conversation knows is told so, and what to do."""
    server = serve(SCRIPT)
    model = client(server)
    both = [assistant(model), assistant(model, "b")]
    await durably.wrap(two_turns(both), checkpointer=host, name="team").ainvoke("x", on("t"))
    other = durably.wrap(two_turns([assistant(model, "c")]), checkpointer=host, name="team")
    with pytest.raises(durably.ResumeError, match=r"Agent state for c not found.*another thread"):
        await other.ainvoke("y", on("t"))


@pytest.mark.parametrize("way", ["loops", "threads"])
def test_one_team_serves_event_loops_and_threads(host, serve, way):
    """Runs of one team in several loops, or invoked from several threads, stay apart."""
    server = serve(SCRIPT)
    wrapped = durably.wrap(two_turns([Notes("a")]), checkpointer=host)

    def one(name):
        heard = []
        for _ in range(3):
            if way == "loops":
                result = asyncio.run(wrapped.ainvoke(f"I am {name}", on(name)))
            else:
                result = wrapped.invoke(f"I am {name}", on(name))
            heard.append(texts(result)[-1][1])
        return heard

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = list(pool.map(one, ["ann", "bob", "cyd", "dan"]))
    for name, heard in zip(["ann", "bob", "cyd", "dan"], told, strict=True):
        assert [text.partition(":")[0] for text in heard] == ["1", "2", "3"]
        assert all(name in text for text in heard)
        assert not any(
            other in text for text in heard for other in {"ann", "bob", "cyd", "dan"} - {name}
        )
    assert server.count() == 0
    gc.collect()
