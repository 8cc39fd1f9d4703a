"""Budgets: money and tokens are reserved before a model is called, and a person is asked for more.

What was spent is a fold over the journal, so it survives restarts; what is reserved belongs to
calls that are under way in this process, the only one that drives the thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple

from ..engine import GatedStep, Lane, Run, Scope, Way
from ..errors import BudgetExceeded
from ..limits import Budget
from .estimates import Estimates
from .spend_history import QUESTION, Raises, Spent, raises_in, spent_in

Price = Callable[[str, Mapping[str, Any]], float | None]

_RESOURCE = "budget"

_log = logging.getLogger("durably")


class BudgetGate:
    """Lets a model be called if the budget has room for what the call may cost.

    Where it has not, calls that are under way are waited for; they may cost less than was reserved.
    If there is no room without them either, the run suspends with a question, and nothing is lost.

    Args:
        budgets: The limits.
        price: Says what a call costs.
        estimates: Says what a call will take.
    """

    def __init__(self, budgets: Sequence[Budget], price: Price, estimates: Estimates) -> None:
        self._budgets = budgets
        self._price = price
        self._estimates = estimates
        self._unpriced: set[str] = set()

    @asynccontextmanager
    async def around(self, step: GatedStep, way: Way) -> AsyncGenerator[None]:
        """Reserve what the step may cost, and settle what it did cost."""
        account = self._account(step.run)
        wanted = self._wanted(step)
        await account.reserve(step, wanted, way)
        try:
            yield
        finally:
            self._estimates.learn(step)
            account.settle(wanted, step.usage if step.is_done and not step.cached else None)

    def _account(self, run: Run) -> Account:
        with run.lock:
            found = run.resources.get(_RESOURCE)
            if not isinstance(found, Account):
                found = run.resources[_RESOURCE] = Account(run, self._budgets)
            return found

    def _wanted(self, step: GatedStep) -> Spent:
        estimate = self._estimates.of(step)
        cost = self._price(step.call.name, estimate._asdict())
        if cost is None:
            self._warn_of(step.call.name)
        return Spent(cost or 0.0, estimate.total)

    def _warn_of(self, model: str) -> None:
        if model not in self._unpriced and any(one.usd is not None for one in self._budgets):
            self._unpriced.add(model)
            _log.warning(
                "no plug-in knows the price of %s: its calls do not count against the budget in "
                "USD. Give its price in [tool.durably.prices], or limit tokens.",
                model,
            )


class Limit(NamedTuple):
    """One limit of a budget."""

    scope: Literal["run", "thread"]
    unit: Literal["usd", "tokens"]
    base: float

    @property
    def name(self) -> str:
        """What questions about it are called, without their number."""
        return f"{QUESTION}:{self.scope}:{self.unit}"

    def of(self, spent: Spent) -> float:
        """Return the part of *spent* that it limits."""
        return spent.usd if self.unit == "usd" else spent.tokens

    def shown(self, value: float) -> str:
        """Return an amount for people."""
        return f"${value:,.4f}" if self.unit == "usd" else f"{value:,.0f} tokens"


class Account:
    """What one run may spend, has spent and is about to spend.

    Args:
        run: The run.
        budgets: The limits that hold for it.
    """

    def __init__(self, run: Run, budgets: Sequence[Budget]) -> None:
        self._run = run
        self._lock = threading.RLock()
        self._is_asked = False
        self._waiting: list[Future[None]] = []
        self._reserved = Spent()
        self._limits = [
            limit
            for one in budgets
            for limit in (
                Limit(one.scope, "usd", float(one.usd or 0)),
                Limit(one.scope, "tokens", float(one.tokens or 0)),
            )
            if limit.base
        ]
        entries = [] if run.log is None else run.log.entries
        own = run.id
        self._spent = {"run": spent_in(entries, own), "thread": spent_in(entries)}
        self._now: dict[Limit, Raises] = {}
        for one in self._limits:
            value_of = run.log.value if run.log is not None else _nothing
            whose = own if one.scope == "run" else None
            self._now[one] = raises_in(entries, one.name, one.base, value_of, whose)

    async def reserve(self, step: GatedStep, wanted: Spent, way: Way) -> None:
        """Take *wanted* out of what may still be spent.

        Raises:
            Suspended: There is not enough left; a person is asked.
        """
        while True:
            with self._lock:
                self._run.check()
                short = self._short(wanted, self._reserved)
                if short is None:
                    self._reserve(wanted)
                    return
                is_final = self._short(wanted, Spent()) is not None
                waiter = (
                    self._waiter() if way.may_wait and (self._is_asked or not is_final) else None
                )
                self._is_asked = waiter is None or self._is_asked
            if waiter is not None:
                await way.wait(waiter)
                continue
            try:
                await self._ask(short, step, wanted, way)
            finally:
                self._is_asked = False
                self._wake()

    def _waiter(self) -> Future[None]:
        waiter: Future[None] = Future()
        self._waiting.append(waiter)
        return waiter

    def _wake(self) -> None:
        """Let those who wait for room, or for an answer, look again."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for one in waiting:
            if one.set_running_or_notify_cancel():
                one.set_result(None)

    def _short(self, wanted: Spent, reserved: Spent) -> Limit | None:
        """Return the first limit that has no room for *wanted* beside what is reserved."""
        for one in self._limits:
            taken = one.of(self._spent[one.scope]) + one.of(reserved)
            if taken + one.of(wanted) > self._now[one].limit:
                return one
        return None

    def _reserve(self, wanted: Spent) -> None:
        usd, tokens = self._reserved
        self._reserved = Spent(max(0.0, usd + wanted.usd), tokens + wanted.tokens)

    def settle(self, reserved: Spent, usage: Mapping[str, Any] | None) -> None:
        """Put back what was reserved, and take what was spent."""
        with self._lock:
            self._reserve(Spent(-reserved.usd, -reserved.tokens))
            for scope in self._spent:
                self._spent[scope] = self._spent[scope].plus(usage)
        self._wake()

    async def _ask(self, limit: Limit, step: GatedStep, wanted: Spent, way: Way) -> None:
        """Raise the limit as a person says, or end the run."""
        run, now = self._run, self._now[limit]
        question = self._question(limit, step, wanted)
        if run.log is not None and not now.is_final:
            scope, name = Scope(run, Lane(limit.name)), f"{limit.name}#{now.asked}"
            answer = (
                await scope.aask(name, question) if way.may_suspend else scope.ask(name, question)
            )
            now = self._now[limit] = now.after(limit.base, answer)
        if run.log is None or now.is_final:  # nobody could answer a run that cannot be continued
            run.stop(BudgetExceeded(f"run {run.id} may spend no more. {question['message']}"))

    def _question(self, limit: Limit, step: GatedStep, wanted: Spent) -> dict[str, Any]:
        now, spent = self._now[limit].limit, limit.of(self._spent[limit.scope])
        needs = limit.of(wanted)
        message = (
            f"This {limit.scope} has spent {limit.shown(spent)} of {limit.shown(now)}, and the "
            f"next call of {step.call.name} may take {limit.shown(needs)}. Raise the limit? "
            f"(approve adds {limit.shown(limit.base)}; respond with a new limit; reject ends the "
            "run)"
        )
        args = {"scope": limit.scope, "unit": limit.unit, "limit": now, "spent": spent}
        return {
            "kind": "confirmation",
            "name": QUESTION,
            "message": message,
            "args": {**args, "needed": needs},
            "args_schema": {
                "type": "object",
                "properties": {"limit": {"type": "number", "exclusiveMinimum": 0}},
                "required": ["limit"],
            },
            "allowed": ["approve", "edit", "respond", "reject"],
        }


def _nothing(_: bytes) -> None:
    return None
