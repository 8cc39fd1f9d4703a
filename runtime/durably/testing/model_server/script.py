"""The script of a model server: rules that map a request to the model's reply."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, TypeAlias, cast

from .reply import Reply, checked_object
from .request import Request

Text: TypeAlias = str | re.Pattern[str]
"""What a text must contain: a substring, or a compiled pattern to search for."""

_TEXT: tuple[type, ...] = (str, re.Pattern)
_CONDITIONS: dict[str, tuple[type, ...]] = {
    "user": _TEXT,
    "system": _TEXT,
    "anywhere": _TEXT,
    "tool": (str,),
    "result": _TEXT,
    "model": (str,),
    "turns": (int,),
}


@dataclass(frozen=True)
class When:
    """What a request must look like; all conditions that are given must hold.

    Attributes:
        user: Found in the last user message.
        system: Found in the system (or developer) messages.
        anywhere: Found in at least one message, whatever its role.
        tool: A result of this tool came in since the model spoke last.
        result: Found in a tool result that came in since then; with ``tool``, in one of its.
        model: The model's exact name.
        turns: How many assistant messages the conversation holds so far.

    Example:
        >>> When(user="weather").holds(
        ...     Request({"messages": [{"role": "user", "content": "What weather is it?"}]}))
        True
    """

    user: Text | None = None
    system: Text | None = None
    anywhere: Text | None = None
    tool: str | None = None
    result: Text | None = None
    model: str | None = None
    turns: int | None = None

    def holds(self, request: Request) -> bool:
        """Tell whether a request looks like this."""
        return (
            (self.model is None or self.model == request.model)
            and (self.turns is None or self.turns == request.turns)
            and (self.user is None or _found(self.user, request.user))
            and (self.system is None or _found(self.system, request.system))
            and self._anywhere_holds(request)
            and self._result_holds(request)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form: given conditions by name, a pattern as ``{"regex": …}``."""
        given = {part.name: getattr(self, part.name) for part in fields(self)}
        return {
            name: {"regex": _with_flags(value)} if isinstance(value, re.Pattern) else value
            for name, value in given.items()
            if value is not None
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read the JSON form.

        Raises:
            ValueError: It is no object, names an unknown condition, or a regex is malformed.
        """
        parts = checked_object(value, "'when'", frozenset(_CONDITIONS))
        return cls(**{name: _condition(name, part) for name, part in parts.items()})

    def _anywhere_holds(self, request: Request) -> bool:
        wanted = self.anywhere
        return wanted is None or any(_found(wanted, text) for text in request.texts)

    def _result_holds(self, request: Request) -> bool:
        if self.tool is None and self.result is None:
            return True
        return any(
            (self.tool is None or self.tool == result.tool)
            and (self.result is None or _found(self.result, result.text))
            for result in request.tool_results
        )


@dataclass(frozen=True)
class Rule:
    """One line of a script: when a request looks like this, reply so.

    Attributes:
        when: What the request must look like; ``When()`` is any request.
        reply: The answer.
        times: Apply to the first so many matching requests only, then let later rules decide;
            ``None``: always. Meant for errors that go away. A rule with a count depends on how
            often it was asked, so a resumed client may get another answer than the first time.

    Example:
        >>> Rule(When(user="weather"), Reply.error(429, retry_after=1), times=1).to_json()["times"]
        1
    """

    when: When
    reply: Reply
    times: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, which `from_json` reads back to an equal rule."""
        rule: dict[str, Any] = {"when": self.when.to_json(), "reply": self.reply.to_json()}
        return rule if self.times is None else {**rule, "times": self.times}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read the JSON form.

        Raises:
            ValueError: It is no rule; the message shows the part that is wrong.
        """
        parts = checked_object(value, "a rule", frozenset({"when", "reply", "times"}))
        if "reply" not in parts:
            raise ValueError(f"a rule in a script needs a 'reply': {value!r}")
        times = parts.get("times")
        return cls(
            When.from_json(parts.get("when", {})),
            Reply.from_json(parts["reply"]),
            None if times is None else int(times),
        )


class NoRuleMatched(LookupError):  # noqa: N818 - reads as what happened
    """No rule of a script fits a request; the message shows the request and the rules."""


class RuleScript:
    """Rules in order: the first that holds gives the reply.

    Safe to ask from several threads.

    Args:
        rules: The rules, in order of precedence.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._used = [0] * len(self._rules)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        """Return the reply to a request.

        Raises:
            NoRuleMatched: No rule holds, or those that do are used up.
        """
        for position, rule in enumerate(self._rules):
            if rule.when.holds(request) and self._take(position, rule):
                return rule.reply
        raise NoRuleMatched(self._explain(request))

    def _take(self, position: int, rule: Rule) -> bool:
        with self._lock:
            if rule.times is not None and self._used[position] >= rule.times:
                return False
            self._used[position] += 1
            return True

    def _explain(self, request: Request) -> str:
        last = request.messages[-1] if request.messages else None
        tried = "\n".join(
            f"  {position}. {json.dumps(rule.when.to_json(), ensure_ascii=False)}"
            + (f" (first {rule.times} only)" if rule.times is not None else "")
            for position, rule in enumerate(self._rules, 1)
        )
        return (
            f"no rule of the script fits this request to {request.model!r}"
            f" after {request.turns} assistant messages.\n"
            f"Last message: {json.dumps(last, ensure_ascii=False)}\n"
            f"Rules tried:\n{tried or '  none: the script is empty'}\n"
            "Add a rule for it, or Rule(When(), …) at the end for all others."
        )


Script: TypeAlias = Sequence[Rule] | Callable[[Request], Reply]
"""Rules in order of precedence, or a function that answers; it should depend on its argument only,
so that a client that asks again after a crash gets the same answer."""


def compile_script(script: Script) -> Callable[[Request], Reply]:
    """Return a script as a function from request to reply, with counts of its own."""
    return script if callable(script) else RuleScript(script)


def load_rules(path: str | Path) -> list[Rule]:
    """Read a script from a JSON file: a list of rules.

    A rule has ``when`` (the conditions of `When` by name; a text is a substring, or
    ``{"regex": …}``), ``reply`` and perhaps ``times``. A reply is a string, or an object with
    some of ``text``, ``tools`` (a list of ``{"name", "arguments"}``), ``error`` (``{"status",
    "message", "retry_after"}``), ``finish``, ``usage`` (``[prompt, completion]``), ``delay`` and
    ``cut_after``, which mean what the attributes of `Reply` mean.

    Example:
        A model that is overloaded once, then looks the weather up and tells it::

            [
              {"when": {"user": "weather"}, "times": 1,
               "reply": {"error": {"status": 429, "retry_after": 1}}},
              {"when": {"user": {"regex": "^What.*weather"}, "turns": 0},
               "reply": {"tools": [{"name": "look_up", "arguments": {"city": "Rome"}}]}},
              {"when": {"tool": "look_up", "result": "sun"}, "reply": "Sunny."}
            ]

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not JSON, or not a list of rules; the message names the file.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        return _rules(json.loads(text))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def dump_rules(rules: Iterable[Rule]) -> str:
    """Write rules as the JSON text that `load_rules` reads."""
    return json.dumps([rule.to_json() for rule in rules], ensure_ascii=False, indent=2)


def _rules(value: object) -> list[Rule]:
    if not isinstance(value, list):
        raise ValueError(f"a script is a list of rules, not {value!r}")  # noqa: TRY004
    return [Rule.from_json(item) for item in cast("list[object]", value)]


def _found(wanted: Text, text: str) -> bool:
    return wanted in text if isinstance(wanted, str) else wanted.search(text) is not None


def _with_flags(pattern: re.Pattern[str]) -> str:
    """Return a pattern's source with the flags it was compiled with written into it."""
    added = pattern.flags & ~re.compile(pattern.pattern).flags
    letters = "".join(letter for letter in "aimsx" if added & re.RegexFlag[letter.upper()])
    return f"(?{letters}){pattern.pattern}" if letters else pattern.pattern


def _condition(name: str, value: object) -> Any:
    kinds = _CONDITIONS[name]
    try:
        if isinstance(value, dict) and re.Pattern in kinds:
            known = checked_object(cast("object", value), "a condition", frozenset({"regex"}))
            return re.compile(known["regex"])
    except (re.error, KeyError, TypeError) as error:
        raise ValueError(f"'when' in a script: {name}: {value!r} is no pattern") from error
    if not isinstance(value, kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"'when' in a script: {name} is {expected}, not {value!r}")  # noqa: TRY004
    return value
