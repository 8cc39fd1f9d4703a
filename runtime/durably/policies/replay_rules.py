"""What a file says of requests that are the same: the table ``[replay]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .fields import unknown

KEYS = ("items", "volatile")
_ANY_TEXT = "To Ann (7): it's done; see §4"


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """What tells the requests of two processes apart, and what does not.

    Attributes:
        items: Names of effects, or globs, whose arguments say which item the call is about.
        volatile: Text that may differ though the request is the same.
    """

    items: tuple[str, ...] = ()
    volatile: tuple[re.Pattern[str], ...] = ()


class ReplayRuleError(ValueError):
    """A key of the table says what cannot be.

    Attributes:
        key: The key.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def replay_rules(table: Mapping[str, Any]) -> ReplayRules:
    """Return what the table says.

    Raises:
        ReplayRuleError: It says what cannot be.
    """
    for key in table:
        if key not in KEYS:
            raise ReplayRuleError(key, unknown("replay", key, KEYS))
    items = _texts("items", table.get("items", []), "the names of effects, such as")
    volatile = _texts("volatile", table.get("volatile", []), "regular expressions, such as")
    return ReplayRules(items, tuple(map(_pattern, volatile)))


def _texts(key: str, said: Any, what: str) -> tuple[str, ...]:
    if not isinstance(said, list) or not all(isinstance(one, str) and one for one in said):
        example = "['send']" if key == "items" else r"['took \d+ ms']"
        raise ReplayRuleError(key, f"{key} is a list of {what} {example}, not {said!r}")
    return tuple(said)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        said = f"volatile: {text!r} is no regular expression: {error}"
        raise ReplayRuleError("volatile", said) from None
    if pattern.fullmatch(""):
        said = f"volatile: {text!r} fits the empty text; write at least one character of it"
        raise ReplayRuleError("volatile", said)
    if pattern.sub("", _ANY_TEXT) == "":
        said = f"volatile: {text!r} fits any text, so that all requests would be the same"
        raise ReplayRuleError("volatile", said)
    return pattern
