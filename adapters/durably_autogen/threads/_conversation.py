"""The conversation that an agent or a team holds: taken from it, put into it, and taken out again.

What AutoGen saves of an object (``save_state``) is put back by ``load_state``. It leaves out what
termination conditions count, memories of the process, contexts of agents that have no state of
their own, and what an agent's class keeps in its attributes: of these, what differs from the
object as its program made it is kept as well.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from durably.adapting import Codec
from durably.errors import EncodeError

from ._holders import AGENTS, CONTEXT, MEMORY, bases_of, holders
from ._restore import is_team, reset

_OF_RUNS = frozenset({"_is_running", "_initialized", "_start_time"})
"""Attributes that tell of a run under way, or of this process's clock."""

Data = dict[str, dict[str, Any]]
"""Values of attributes, by the holder's path and the attribute's name."""


@dataclass(slots=True)
class Conversation:
    """A conversation, apart from the object that held it.

    Attributes:
        state: What the object saved.
        data: Attributes that differ from those of the object as its program made it.
        gone: Attributes that the object no longer has.
        given: What memories held that the program had put there.
    """

    state: Any
    data: Data = field(default_factory=dict[str, dict[str, Any]])
    gone: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    given: Data = field(default_factory=dict[str, dict[str, Any]])

    def plain(self) -> dict[str, Any]:
        """Return it in the form that is kept in a thread."""
        return {"state": self.state, "data": self.data, "gone": self.gone, "given": self.given}


def of_plain(kept: Mapping[str, Any]) -> Conversation:
    """Return what :meth:`Conversation.plain` returned as a conversation again."""
    return Conversation(kept["state"], kept["data"], kept["gone"], kept["given"])


class Original:
    """An agent or a team as its program made it: what each thread begins with.

    Args:
        codec: Says what is data.
        model: A copy of the object that never runs.
        state: What the object had saved when it was copied, or None if it cannot be saved.
    """

    def __init__(self, codec: Codec, model: Any, state: Any) -> None:
        self._codec = codec
        self._state = state
        self._held = {
            path: {name: (copy.deepcopy(value), body) for name, (value, body) in _data(codec, one)}
            for path, one in holders(model).items()
        }

    async def taken_from(self, target: Any) -> Conversation:
        """Return the conversation that *target* holds now.

        Raises:
            Exception: An agent's own ``save_state`` failed.
        """
        taken = Conversation(await target.save_state())
        saved = _saved_contexts(target)
        for path, one in holders(target).items():
            before = self._held.get(path, {})
            now = dict(_data(self._codec, one))
            if path in saved:
                continue
            news = {n: value for n, (value, body) in now.items() if _body(before, n) != body}
            gone = sorted(before.keys() - vars(one).keys())
            if news:
                taken.data[path] = news
            if news and MEMORY in bases_of(one):
                taken.given[path] = {n: before[n][0] for n in news if n in before}
            if gone:
                taken.gone[path] = gone
        return taken

    def is_held_by(self, target: Any) -> bool:
        """Say whether *target*'s data are those that its program gave it."""
        return all(
            {name: body for name, (_, body) in _data(self._codec, one)}
            == {name: body for name, (_, body) in self._held.get(path, {}).items()}
            for path, one in holders(target).items()
        )

    async def begin(self, target: Any, told: Conversation | None) -> None:
        """Have *target* hold the conversation *told*, or none yet.

        Raises:
            Exception: The conversation does not fit *target*.
        """
        await reset(target)
        self.restore(target)
        state = told.state if told is not None else self._state
        if state is not None:
            await target.load_state(state)
        if told is not None:
            self._tell(target, told)

    def restore(self, target: Any) -> None:
        """Give *target* the data that its program gave it."""
        for path, one in holders(target).items():
            held = self._held.get(path, {})
            for name, (_, body) in list(_data(self._codec, one)):
                if name not in held:
                    del vars(one)[name]
                elif held[name][1] != body:
                    _set(one, name, held[name][0])
            for name in held.keys() - vars(one).keys():
                _set(one, name, held[name][0])

    def _tell(self, target: Any, told: Conversation) -> None:
        found = holders(target)
        for path, values in told.data.items():
            if path not in found:
                continue
            for name, value in values.items():
                own = self._held.get(path, {}).get(name)
                given = told.given.get(path, {})
                if own is not None and name in given:
                    value = self._joined(value, given[name], own[0])  # noqa: PLW2901
                _set(found[path], name, value)
        for path, names in told.gone.items():
            for name in names:
                if path in found:
                    vars(found[path]).pop(name, None)

    def _joined(self, kept: Any, given: Any, now: Any) -> Any:
        """Return what a memory holds to which the program has added, since the thread's last run.

        Args:
            kept: What it held at the end of that run.
            given: What the program had put there by then.
            now: What the program has put there by now.
        """
        before, after = self._codec.encode(given), self._codec.encode(now)
        if before == after:
            return kept
        if isinstance(kept, list) and isinstance(given, list) and isinstance(now, list):
            count = len(given)
            if self._codec.encode(now[:count]) == before:
                return [*kept, *now[count:]]
        return now


def _set(holder: Any, name: str, value: Any) -> None:
    """Set an attribute to a copy of *value*; a list or mapping stays the same object."""
    own, held = copy.deepcopy(value), vars(holder).get(name)
    if isinstance(held, list) and isinstance(own, list):
        held[:] = own
    elif type(held) is type(own) and isinstance(held, dict | set):
        held.clear()
        held.update(own)
    else:
        vars(holder)[name] = own


def _body(held: Mapping[str, tuple[Any, bytes]], name: str) -> bytes | None:
    return held[name][1] if name in held else None


def _data(codec: Codec, holder: Any) -> Iterator[tuple[str, tuple[Any, bytes]]]:
    """Yield the attributes of *holder* that are data, with their bytes."""
    if is_team(holder) or _says_itself(holder):
        return
    for name, value in list(vars(holder).items()):
        if name in _OF_RUNS:
            continue
        try:
            yield name, (value, codec.encode(value))
        except EncodeError:  # it works, rather than remembers
            continue


def _says_itself(holder: Any) -> bool:
    """Say whether a class of the program's own says what its state is."""
    return not AGENTS.isdisjoint(bases_of(holder)) and not _maker(holder).startswith(
        ("autogen_agentchat.", "autogen_ext.")
    )


def _maker(holder: Any) -> str:
    """Return the module of the class that says what *holder*'s state is."""
    for cls in type(holder).__mro__:
        if "save_state" in vars(cls):
            return cls.__module__
    return ""


_WITHOUT_CONTEXT = (
    "autogen_agentchat.agents._base_chat_agent",
    "autogen_agentchat.agents._society_of_mind_agent",
)
"""Modules of agents whose saved state leaves their model context out."""


def _saved_contexts(target: Any) -> set[str]:
    """Return the paths of the model contexts that are part of what *target* saves."""
    saved: set[str] = set()
    found = holders(target)
    for path, one in found.items():
        if CONTEXT not in bases_of(one):
            continue
        agent, _, _ = path.rpartition(".")
        owner = found.get(agent)
        if owner is not None and _is_saved(found, agent) and _maker(owner) not in _WITHOUT_CONTEXT:
            saved.add(path)
    return saved


def _is_saved(found: Mapping[str, Any], path: str) -> bool:
    """Say whether the state of the agent at *path* is part of what the whole saves."""
    while path:
        path, _, part = path.rpartition(".")
        if part == "_team":
            if _maker(found.get(path)) == _WITHOUT_CONTEXT[0]:
                return False
        elif part != "_participants" and not part.isdigit():
            return False
    return True
