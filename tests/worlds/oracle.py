"""The oracle: knows what must have been done, and what a person would truly answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .blocks.block import Block, Ledger
from .calls import reply_to
from .process import Asked
from .program import Program
from .world import Deed, World


def complaints(program: Program, world: World, *, has_ended: bool) -> list[str]:
    """Return what is wrong with the world.

    Args:
        program: What made it so.
        world: The world.
        has_ended: Whether the program has ended; else it stopped, and may have things to do.
    """
    found = _strange(program, world) + _untold(world)
    for block in program.blocks:
        ledgers = block.ledgers(world)
        each = [_missed(world, ledger, has_ended=has_ended) for ledger in ledgers]
        found += min(each, key=len)
        found += _wrong_files(block, world, has_ended=has_ended)
    return found


def _strange(program: Program, world: World) -> list[str]:
    """Return effects that nobody wanted, or with arguments that are another's."""
    found: list[str] = []
    wanted = [ledger for block in program.blocks for ledger in block.ledgers(world)]
    for deed in world.ledger:
        fitting = [ledger[deed.intent] for ledger in wanted if deed.intent in ledger]
        if not fitting:
            found.append(f"{deed.intent} was not wanted")
        elif not any((one.name, dict(one.args)) == (deed.name, deed.args) for one in fitting):
            found.append(f"{deed.intent} got {deed.args}, not {dict(fitting[0].args)}")
    return found


def _untold(world: World) -> list[str]:
    """Return effects that were repeated without a word, though the journal says that they began."""
    repeated: Counter[str] = Counter()
    for number, deed in enumerate(world.ledger):
        before = [one for one in world.ledger[:number] if one.intent == deed.intent]
        if deed.is_marked and before and not before[-1].is_recorded:
            repeated[deed.name] += 1
    told = Counter(world.told)
    return [
        f"{name} was repeated and nobody was told"
        for name, times in repeated.items()
        if told[name] < times
    ]


def _missed(world: World, ledger: Ledger, *, has_ended: bool) -> list[str]:
    """Return where the world differs from a ledger."""
    found: list[str] = []
    tags = {intent.partition(".")[0] for intent in ledger}
    for deed in world.ledger:
        if deed.intent.partition(".")[0] in tags and deed.intent not in ledger:
            found += [f"{deed.intent} was done too"] if deed.is_recorded else []
    for intent, wanted in ledger.items():
        done = world.done(intent)
        sure = _certain(done, once=wanted.once)
        if len(sure) > wanted.most:
            found.append(f"{intent} was done {len(done)} times, not {wanted.most}")
        if has_ended and len(done) < wanted.least:
            found.append(f"{intent} was never done")
        if wanted.only_in and any(deed.version != wanted.only_in for deed in done):
            found.append(f"{intent} was done by a version that does not want it")
    return found


def _certain(done: list[Deed], *, once: bool) -> list[Deed]:
    """Return the deeds that count: not those whose record was lost and that were done again."""
    if once:
        return done
    return [deed for deed in done if deed.is_recorded] or done[:1]


def _wrong_files(block: Block, world: World, *, has_ended: bool) -> list[str]:
    wanted, is_complete = block.outputs(world)
    found = [
        f"{name} holds {world.files[name]!r}, not {value!r}"
        for name, value in wanted.items()
        if name in world.files and world.files[name] != value
    ]
    if has_ended and is_complete:
        found += [f"{name} was not written" for name in wanted if name not in world.files]
    return found


def true_answer(program: Program, world: World, asked: Asked) -> Any:
    """Return what a person who knows everything answers."""
    if asked.name == "changed":
        return _changed(program, world, asked)
    if asked.kind == "confirmation":
        intent = _meant(world, asked)
        if not world.done(intent):
            return "approve"
        return {"type": "respond", "value": f"did {intent}"}
    return reply_to(_text_of(world, asked))


def _changed(program: Program, world: World, asked: Asked) -> str:
    intent = _meant(world, asked)
    block = next((one for one in program.blocks if intent.startswith(f"{one.tag}.")), None)
    if block is None:
        return "abort"
    answer = block.answer(world, intent)
    of_block = [deed for deed in world.ledger if deed.intent.startswith(f"{block.tag}.")]
    offered = any(_offers(asked, deed.args) for deed in world.done(intent) or of_block)
    # A person who is offered another one's outcome sees it, and gives up.
    return "abort" if answer == "same" and not offered else answer


def _shows(asked: Asked, args: Any) -> bool:
    """Say whether a question shows these arguments."""
    if isinstance(args, dict):
        return all(_shows(asked, value) for value in args.values())
    return str(args) in asked.shown


def _offers(asked: Asked, args: Any) -> bool:
    """Return whether the recorded request that a question offers has these arguments."""
    leaves = [*_leaves(asked.offered)]
    return all(value in leaves for value in args.values())


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _meant(world: World, asked: Asked) -> str:
    """Return the effect that a question is about: of those under way, the one that is shown."""

    def shown(intent: str) -> int:
        return sum(str(value) in asked.shown for value in world.pending[intent].values())

    return max(world.pending, key=shown, default="")


def _text_of(world: World, asked: Asked) -> str:
    return asked.shown.partition("\n")[0]
