"""Agents that a program defines itself: turns that no seam sees into, and state of every kind."""

from __future__ import annotations

from typing import Any

from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.models import UserMessage

from durably.testing import Reply, Rule, When

from ._kit import Kit, feature


class Board:
    """What a game keeps; no data class, and no message."""

    def __init__(self) -> None:
        self.moves: list[str] = []


class Player(BaseChatAgent):
    """An agent that works by itself, with an effect, and remembers in plain attributes."""

    produced_message_types = (TextMessage,)

    def __init__(self, name: str, kit: Kit, board: Board | None = None) -> None:
        super().__init__(name, "Plays.")
        self._kit = kit
        self._turns = 0
        self._heard: list[Any] = []
        self._context = UnboundedChatCompletionContext()
        self._board = board or Board()

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Response:
        """Make a move."""
        self._turns += 1
        self._heard.extend(messages)
        await self._context.add_message(UserMessage(content=f"turn {self._turns}", source="x"))
        self._board.moves.append(f"{self.name} {self._turns}")
        self._kit.effect(f"{self.name} moves {self._turns}")
        known = len(await self._context.get_messages())
        said = f"{self._turns} {len(self._heard)} {known} {len(self._board.moves)}"
        return Response(chat_message=TextMessage(content=said, source=self.name))

    async def on_reset(self, cancellation_token: Any) -> None:
        """Forget."""


@feature(steps="task 4")
async def custom_agents(kit: Kit) -> Any:
    board = Board()
    team = RoundRobinGroupChat([Player("a", kit, board), Player("b", kit, board)], max_turns=4)
    return [item async for item in team.run_stream(task="Play.")]


@feature(steps="task 2")
async def custom_agent_alone(kit: Kit) -> Any:
    agent = Player("a", kit)
    return [await agent.run(task="Play."), await agent.run(task="Again.")]


class Saver(Player):
    """An agent that saves its state itself, in its own way."""

    async def on_messages_stream(self, messages: Any, cancellation_token: Any) -> Any:
        """Say something first."""
        self.kept = object()
        yield TextMessage(content="Thinking.", source=self.name)
        yield await self.on_messages(messages, cancellation_token)

    async def save_state(self) -> Any:
        """Return what counts."""
        return {"turns": self._turns, "moves": self._board.moves}

    async def load_state(self, state: Any) -> None:
        """Take it back."""
        self._turns, self._board.moves = state["turns"], list(state["moves"])
        self._heard = [None] * self._turns
        await self._context.clear()
        for _ in range(self._turns):
            await self._context.add_message(UserMessage(content="turn", source="x"))


@feature(steps="task 3")
async def custom_agent_with_state(kit: Kit) -> Any:
    team = RoundRobinGroupChat([Saver("a", kit)], max_turns=1)
    seen = []
    for _ in range(3):
        seen += [item async for item in team.run_stream(task="Play.")]
    return seen


class Asker(BaseChatAgent):
    """An agent that asks a model itself: its turn is no step, the model's call is."""

    produced_message_types = (TextMessage,)

    def __init__(self, kit: Kit) -> None:
        super().__init__("asker", "Asks.")
        self._client = kit.client()
        self._said: list[str] = []

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Response:
        """Ask."""
        text = messages[-1].to_model_text()
        answer = await self._client.create([UserMessage(content=text, source="user")])
        self._said.append(str(answer.content))
        said = f"{len(self._said)}: {answer.content}"
        return Response(chat_message=TextMessage(content=said, source=self.name))

    async def on_reset(self, cancellation_token: Any) -> None:
        """Forget."""


ECHO = [
    Rule(When(user="1: Yes."), Reply.text("No.")),
    Rule(When(system="You listen"), Reply.text("Heard.")),
    Rule(When(), Reply.text("Yes.")),
]


@feature(ECHO, steps="model 3, task 1")
async def custom_agent_with_a_model(kit: Kit) -> Any:
    listener = AssistantAgent("listener", kit.client(), system_message="You listen.")
    team = RoundRobinGroupChat([Asker(kit), listener, Player("a", kit)], max_turns=4)
    return await team.run(task="Go.")
