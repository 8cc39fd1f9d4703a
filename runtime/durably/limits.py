"""How fast a program may go, how much it may spend, and what it may not do without a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePolicy:
    """How often steps may begin; holds for every process that shares the cache.

    Attributes:
        requests: How many steps may begin within any *per* seconds.
        tokens: How many tokens they may use within any *per* seconds. What a step will use is
            estimated before it begins and corrected when it has ended.
        per: The length of the window in seconds.
        name: Steps under the same name share one limit, whatever program they belong to; by
            default the policy's own pattern.
    """

    requests: int | None = None
    tokens: int | None = None
    per: float = 60.0
    name: str = ""

    def __post_init__(self) -> None:
        if self.requests is None and self.tokens is None:
            raise ValueError("a rate limits requests, tokens or both; this one limits nothing")
        for what, value in (("requests", self.requests), ("tokens", self.tokens)):
            if value is not None and value < 1:
                raise ValueError(f"{what} must be 1 or more, not {value!r}")
        if self.per <= 0:
            raise ValueError(f"per must be more than 0 seconds, not {self.per!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkPolicy:
    """When a run goes on that waits for a provider which is down or whose quota is used up.

    Each time in a row the run waits twice as long as before. A server that says how long to wait
    (``Retry-After``) is heeded.

    Attributes:
        first: Seconds until the first try.
        longest: Seconds that a wait never exceeds by itself.
        give_up_after: Seconds after the first wait began from which on the run fails; None: never.
    """

    first: float = 60.0
    longest: float = 3600.0
    give_up_after: float | None = None

    def __post_init__(self) -> None:
        if self.first <= 0 or self.longest < self.first:
            raise ValueError(
                f"a run cannot be parked for {self.first!r} seconds at first and "
                f"{self.longest!r} at most"
            )

    def wait(self, parks: int, asked_for: float = 0.0) -> float:
        """Return the seconds to wait when the run was parked *parks* times in a row before.

        Args:
            parks: How often it was, with no step finished in between.
            asked_for: Seconds that the server asked for.
        """
        doubled = self.first * 2.0 ** min(parks, 30)
        return max(asked_for, min(self.longest, doubled))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a run, or all runs of a thread, may spend before a person is asked.

    Attributes:
        usd: US dollars, as far as a plug-in knows prices.
        tokens: Tokens of requests and answers.
        scope: Whether each run or the whole thread may spend it.
    """

    usd: float | None = None
    tokens: int | None = None
    scope: Literal["run", "thread"] = "run"

    def __post_init__(self) -> None:
        if self.usd is None and self.tokens is None:
            raise ValueError("a budget limits usd, tokens or both; this one limits nothing")
        for what, value in (("usd", self.usd), ("tokens", self.tokens)):
            if value is not None and value <= 0:
                raise ValueError(f"a budget's {what} must be more than 0, not {value!r}")
        if self.scope not in ("run", "thread"):
            raise ValueError(f"a budget's scope is 'run' or 'thread', not {self.scope!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """What a person is asked before a step is executed.

    Attributes:
        allowed: The decisions that they may take: *approve*, *edit* the arguments, *reject*, or
            *respond* with a result of their own.
        message: What they are told besides the call itself.
        deadline: Seconds (or a ``timedelta``) after which *default* is taken; None: never.
        default: What is done when nobody has decided in time.
    """

    allowed: Sequence[Literal["approve", "edit", "reject", "respond"]] = (
        "approve",
        "edit",
        "reject",
        "respond",
    )
    message: str = ""
    deadline: float | timedelta | None = None
    default: Literal["approve", "reject"] = "reject"

    def __post_init__(self) -> None:
        unknown = [one for one in self.allowed if one not in _VERBS]
        if unknown or not self.allowed or isinstance(self.allowed, str):
            raise ValueError(f"allowed is some of {', '.join(_VERBS)}, not {self.allowed!r}")
        if self.default not in ("approve", "reject"):
            raise ValueError(f"the default is 'approve' or 'reject', not {self.default!r}")
        seconds = self.deadline
        seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        if seconds is not None and seconds <= 0:
            raise ValueError(f"a deadline lies more than 0 seconds ahead, not {self.deadline!r}")


_VERBS = ("approve", "edit", "reject", "respond")
