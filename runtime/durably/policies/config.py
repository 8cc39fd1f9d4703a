"""Policies, budgets, prices and rules of replay, from ``durably.toml`` or pyproject.toml."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

from ..errors import ConfigError
from ..limits import Budget
from ..types import StepPolicy
from .amounts import budget
from .fields import unknown, value_of
from .match import KINDS, Match
from .replay_rules import ReplayRuleError, ReplayRules, replay_rules
from .rules import FIELDS, Rule
from .toml_lines import line_of

OWN_FILE = "durably.toml"
SHARED_FILE = "pyproject.toml"

_MATCH = ("name", "kind", "adapter", "agent")
_TOP = ("policy", "budget", "prices", "cache", "replay")
_MILLION = 1_000_000


class PriceOf(NamedTuple):
    """What a model costs, in US dollars for a million tokens."""

    input: float
    output: float

    def cost(self, usage: Mapping[str, Any]) -> float:
        """Return what a call cost."""
        asked, answered = usage.get("input_tokens") or 0, usage.get("output_tokens") or 0
        return (asked * self.input + answered * self.output) / _MILLION


@dataclass(frozen=True, slots=True)
class Config:
    """What a file, and the options of a command line over it, say.

    Attributes:
        rules: Policies with the steps that they are for; the last that fits wins.
        budgets: What runs and threads may spend.
        prices: What models cost, by name.
        cache: URL of what caches and rates are kept in; empty for the journal's own place.
        replay: What tells the requests of two processes apart, and what does not.
        path: The file, if there is one.
    """

    rules: Sequence[Rule] = ()
    budgets: Sequence[Budget] = ()
    prices: Mapping[str, PriceOf] = field(default_factory=dict[str, PriceOf])
    cache: str = ""
    replay: ReplayRules = field(default_factory=ReplayRules)
    path: Path | None = None

    def under(self, rules: Sequence[Rule], budgets: Sequence[Budget]) -> Config:
        """Return what holds with options over the file: a budget replaces one of its scope."""
        scopes = {one.scope for one in budgets}
        kept = [one for one in self.budgets if one.scope not in scopes]
        return replace(self, rules=[*self.rules, *rules], budgets=[*kept, *budgets])


def config_for(program: Path | None = None) -> Config:
    """Return what the file that is nearest to the program says; nothing if there is none.

    Looked for upward from the program's folder, then from the working directory.

    Args:
        program: The program's file; by default the one that Python was started with.

    Raises:
        ConfigError: The file says what cannot be.
    """
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    started = program or (Path(main) if main else None)
    places = [started.resolve().parent] if started is not None else []
    for place in (*places, Path.cwd()):
        path = find(place)
        if path is not None:
            return read(path)
    return Config()


def find(place: Path) -> Path | None:
    """Return the file with policies that is nearest to a folder, upward.

    Raises:
        ConfigError: A folder has two, or one cannot be read.
    """
    for folder in (place, *place.parents):
        own, shared = folder / OWN_FILE, folder / SHARED_FILE
        is_shared = shared.is_file() and _has_table(shared)
        if own.is_file():
            if is_shared:
                said = f"[tool.durably] in {SHARED_FILE} beside it says other things; keep one"
                raise ConfigError(str(own), 0, said)
            return own
        if is_shared:
            return shared
    return None


def _has_table(path: Path) -> bool:
    """Say whether a pyproject.toml has policies; a broken one is its owner's to mend, if not."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    if b"durably" not in data or b"tool" not in data:
        return False
    import tomllib

    try:
        return "durably" in tomllib.loads(data.decode()).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return b"tool.durably" in data


def read(path: Path) -> Config:
    """Return what a file says.

    Raises:
        ConfigError: It says what cannot be; file and line are named.
    """
    import tomllib

    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = re.search(r"line (\d+)", str(error))
        line = int(said[1]) if said else len(text.splitlines())  # else it is the end of the file
        raise ConfigError(str(path), line, f"no TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), 0, f"cannot be read: {error}") from None
    if path.name == SHARED_FILE:
        return _Reader(path, text, ("tool", "durably")).config(document["tool"]["durably"])
    return _Reader(path, text, ()).config(document)


class _Reader:
    """Reads one document, and says where what is wrong stands."""

    def __init__(self, path: Path, text: str, prefix: tuple[str, ...]) -> None:
        self._path = path
        self._text = text
        self._prefix = prefix

    def config(self, document: Any) -> Config:
        table = self._table(document, "the file")
        for key in table:
            if key not in _TOP:
                self._refuse(unknown("the file", key, _TOP), key)
        cache = table.get("cache", "")
        if not isinstance(cache, str):
            self._refuse(f"cache is the URL of a cache, not {cache!r}", "cache")
        return Config(
            rules=self._rules(table.get("policy", [])),
            budgets=self._budgets(self._table(table.get("budget", {}), "budget")),
            prices=self._prices(self._table(table.get("prices", {}), "prices")),
            cache=cache,
            replay=self._replay(self._table(table.get("replay", {}), "replay")),
            path=self._path,
        )

    def _rules(self, policies: Any) -> list[Rule]:
        if not isinstance(policies, list):
            self._refuse("policies are written under [[policy]], one for each", "policy")
        return [self._rule(number, one) for number, one in enumerate(policies)]

    def _rule(self, number: int, table: Any) -> Rule:
        table = self._table(table, "policy", number)
        made: dict[str, Any] = {}
        match: dict[str, Any] = {}
        for key, said in table.items():
            if key in _MATCH:
                match[key] = self._pattern(number, key, said)
            elif key in FIELDS:
                try:
                    made[key] = value_of(key, said)
                except ValueError as error:
                    self._refuse(str(error), "policy", number, key)
            else:
                self._refuse(unknown("a policy", key, (*_MATCH, *FIELDS)), "policy", number, key)
        if not made:
            self._refuse("this policy says nothing about its steps", "policy", number)
        origin = f"{self._path.name}, line {self._line('policy', number)}"
        return Rule(Match(**match), StepPolicy(**made), origin)

    def _pattern(self, number: int, key: str, said: Any) -> str | tuple[str, ...]:
        several = said if isinstance(said, list) else [said]
        if not several or not all(isinstance(one, str) and one for one in several):
            self._refuse(f"{key} is a text or a list of texts", "policy", number, key)
        for one in several if key == "kind" else ():
            if one not in KINDS:
                self._refuse(unknown("durably's steps", one, KINDS), "policy", number, key)
        return several[0] if len(several) == 1 else tuple(several)

    def _budgets(self, table: Mapping[str, Any]) -> list[Budget]:
        found: list[Budget] = []
        for scope, said in table.items():
            if scope not in ("run", "thread"):
                self._refuse(unknown("budget", scope, ["run", "thread"]), "budget", scope)
            for one in said if isinstance(said, list) else [said]:
                try:
                    found.append(budget(f"{scope}:{one}"))
                except ValueError as error:
                    self._refuse(str(error), "budget", scope)
        return found

    def _prices(self, table: Mapping[str, Any]) -> dict[str, PriceOf]:
        found: dict[str, PriceOf] = {}
        for model, said in table.items():
            if not isinstance(said, Mapping) or {*said} != {"input", "output"}:
                text = f"{model}: write {{ input = …, output = … }}, in USD for a million tokens"
                self._refuse(text, "prices", model)
            for value in said.values():
                if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                    self._refuse(f"{model}: {value!r} is no price", "prices", model)
            found[model] = PriceOf(float(said["input"]), float(said["output"]))
        return found

    def _replay(self, table: Mapping[str, Any]) -> ReplayRules:
        try:
            return replay_rules(table)
        except ReplayRuleError as error:
            self._refuse(str(error), "replay", error.key)

    def _table(self, found: Any, *path: str | int) -> Mapping[str, Any]:
        if not isinstance(found, Mapping):
            self._refuse(f"{path[0]} is a table", *path)
        return cast("Mapping[str, Any]", found)

    def _refuse(self, message: str, *path: str | int) -> NoReturn:
        raise ConfigError(str(self._path), self._line(*path), message)

    def _line(self, *path: str | int) -> int:
        return line_of(self._text, (*self._prefix, *path))
