"""What programs ask of the runtime: model calls, effects, questions, lanes; sync and async.

A program is a generator of *wishes*; it is driven by plain code or by a coroutine, so that each
program is tried in both forms. A lane stands in for a crew: its name says what it is given.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from durably import StepPolicy, interrupt, task
from durably.adapting import Call, Scope, live_scope

from .world import Outage, World

Wishes: TypeAlias = Generator[Any, Any, Any]


@dataclass
class Model:
    """A model call; may be executed again. Its answer is a function of *text* alone.

    Attributes:
        text: What is asked.
        noise: Stands before it in the prompt, and changes nothing in the answer.
        echo: Whether the model repeats the noise.
        service: What may be down; see :meth:`World.fails`.
        failures: How often it is.
        lasting: Whether it is down in each process anew.
        answer: Makes the answer, where it is no function of the text.
    """

    text: str
    noise: str = ""
    echo: bool = False
    service: str = ""
    failures: int = 0
    lasting: bool = False
    answer: Callable[[World], str] | None = None


@dataclass
class Effect:
    """A call that changes the world.

    Attributes:
        intent: What the program means by it.
        name: The tool's or task's name.
        args: Its arguments.
        via: ``tool`` with a start marker, as adapters make them, or a plain ``task``.
        once: Whether it must not be repeated without a person's word.
        consumes: The box out of which it takes an item by itself, and the item.
        service: As for models; it fails before it has done anything.
        failures: As for models.
    """

    intent: str
    name: str
    args: dict[str, Any]
    via: str = "tool"
    once: bool = False
    consumes: tuple[str, Any] | None = None
    service: str = ""
    failures: int = 0


@dataclass
class Together:
    """Effects that are begun side by side."""

    effects: list[Effect] = field(default_factory=list)


@dataclass
class Ask:
    """A question to a person."""

    text: str


def answer_to(text: str) -> str:
    """Return what the model says to a text."""
    return f"re({text})"


def reply_to(question: str) -> str:
    """Return what a person says to a question."""
    return f"ok({question})"


@contextlib.contextmanager
def lane(world: World, given: Mapping[str, Any]) -> Iterator[None]:
    """Enter a lane as an adapter does for a crew: *given* says what the crew is."""
    scope = live_scope()
    assert scope is not None
    world.check()
    with _span(scope, given):
        yield


_KNOWS_GIVEN = "given" in inspect.signature(Scope.span).parameters


def _span(scope: Scope, given: Mapping[str, Any]) -> Any:
    if _KNOWS_GIVEN:
        return scope.span("crew", "crew", "crew", given=given)
    return scope.span("crew", "crew", "crew")


def drive(world: World, wishes: Wishes) -> Any:
    """Fulfil a program's wishes in plain code; return what the program returns."""
    with contextlib.closing(wishes):  # its lanes are left here, and not whenever it is collected
        turn = _Turn(wishes)
        while not turn.is_over:
            try:
                turn.give(_granted(world, turn.wish))
            except Outage as error:
                turn.fail(error)
        return turn.value


async def adrive(world: World, wishes: Wishes) -> Any:
    """Like :func:`drive`, in a coroutine."""
    with contextlib.closing(wishes):
        turn = _Turn(wishes)
        while not turn.is_over:
            try:
                turn.give(await _agranted(world, turn.wish))
            except Outage as error:
                turn.fail(error)
        return turn.value


class _Turn:
    """Whose turn it is: the program's, or that of who fulfils its wish."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self.is_over = False
        self.wish: Any = None
        self.value: Any = None
        self._next(lambda: next(wishes))

    def give(self, value: Any) -> None:
        self._next(lambda: self._wishes.send(value))

    def fail(self, error: Exception) -> None:
        self._next(lambda: self._wishes.throw(error))

    def _next(self, go: Callable[[], Any]) -> None:
        try:
            self.wish = go()
        except StopIteration as end:
            self.is_over, self.value = True, end.value


def _granted(world: World, wish: Any) -> Any:
    scope = _scope(world, wish)
    match wish:
        case Model():
            return scope.step(_model_call(wish), lambda: _think(world, wish))
        case Ask():
            return interrupt(wish.text)
        case Together():
            futures = [_task(world, one)(**one.args) for one in wish.effects]
            pairs = zip(wish.effects, futures, strict=True)
            return [_returned(world, one, future.result()) for one, future in pairs]
        case Effect(via="tool"):
            return _returned(world, wish, scope.step(_tool_call(wish), lambda: _act(world, wish)))
        case _:
            return _returned(world, wish, _task(world, wish)(**wish.args).result())


async def _agranted(world: World, wish: Any) -> Any:
    scope = _scope(world, wish)
    match wish:
        case Model():
            return await scope.astep(_model_call(wish), _later(lambda: _think(world, wish)))
        case Ask():
            return interrupt(wish.text)
        case Together():
            futures = [_atask(world, one)(**one.args) for one in wish.effects]
            pairs = zip(wish.effects, futures, strict=True)
            return [_returned(world, one, await future) for one, future in pairs]
        case Effect(via="tool"):
            execute = _later(lambda: _act(world, wish))
            return _returned(world, wish, await scope.astep(_tool_call(wish), execute))
        case _:
            return _returned(world, wish, await _atask(world, wish)(**wish.args))


def _scope(world: World, wish: Any) -> Scope:
    world.check()
    effects = wish.effects if isinstance(wish, Together) else [wish]
    for one in effects:
        if isinstance(one, Effect):
            world.comes_to(one.intent, one.args)
    scope = live_scope()
    assert scope is not None
    return scope


def _returned(world: World, wish: Effect, value: Any) -> Any:
    world.returned(wish.intent)
    return value


def _later(execute: Callable[[], Any]) -> Callable[[], Any]:
    async def executed() -> Any:
        return execute()

    return executed


def _model_call(wish: Model) -> Call:
    prompt = f"{wish.noise} {wish.text}".strip()
    return Call("model", "m", {"messages": [{"role": "user", "content": prompt}]})


def _tool_call(wish: Effect) -> Call:
    policy = StepPolicy(effect="once") if wish.once else None
    return Call("tool", wish.name, wish.args, effect=True, policy=policy)


def _task(world: World, wish: Effect) -> Any:
    def do(**args: Any) -> Any:
        del args
        return _act(world, wish)

    return task(name=wish.name, effect="once" if wish.once else None)(do)


def _atask(world: World, wish: Effect) -> Any:
    async def do(**args: Any) -> Any:
        del args
        return _act(world, wish)

    return task(name=wish.name, effect="once" if wish.once else None)(do)


def _think(world: World, wish: Model) -> str:
    world.check()
    world.paid += 1
    world.note(f"  model {wish.noise} {wish.text}")
    if wish.service and world.fails(wish.service, wish.failures, lasting=wish.lasting):
        raise Outage(wish.service)
    if wish.answer is not None:
        return wish.answer(world)
    return answer_to(wish.text) + (f" [{wish.noise}]" if wish.echo else "")


def _act(world: World, wish: Effect) -> str:
    world.check()
    if wish.service and world.fails(wish.service, wish.failures):
        raise Outage(wish.service)
    world.do(wish.intent, wish.name, wish.args, is_marked=wish.via == "tool" or wish.once)
    if wish.consumes is not None:
        world.consume(*wish.consumes, silently=True)
    return f"did {wish.intent}"
