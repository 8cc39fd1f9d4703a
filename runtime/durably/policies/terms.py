"""The terms of a step: what all rules say about it, made into gates once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..caching import Cache, StepCache
from ..engine import Call, Clock, Gate, SystemClock, Terms, plain_terms
from ..journal import Codec
from ..limits import Budget
from ..types import StepPolicy
from .budgets import BudgetGate, Price
from .cache_gate import CacheGate
from .concurrency import ConcurrencyGate
from .estimates import Estimates
from .match import StepKind
from .rate import RateGate
from .rules import Resolved, Rule, Said, own_rules, resolve

_MOST_KNOWN = 4096


class Policies:
    """Every rule of a host; safe to share between threads.

    Args:
        rules: The rules, those that are nearest to the user's hand last.
        budgets: What runs and threads may spend on models.
        codec: Makes bytes of what is cached.
        open_cache: Opens what caches and rates are kept in; called when the first rule needs it.
        price: Says what a model call costs.
        approval: What asks a person before a step with ``approve`` is executed.
        clock: Time.
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        budgets: Sequence[Budget] = (),
        codec: Codec,
        open_cache: Callable[[], Cache],
        price: Price,
        approval: Gate | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.budgets = tuple(budgets)
        self._codec = codec
        self._open_cache = open_cache
        self._cache: Cache | None = None
        self._clock: Clock = clock or SystemClock()
        self._price = price
        self._approval = approval
        self._estimates = Estimates()
        self._budget = BudgetGate(self.budgets, price, self._estimates) if self.budgets else None
        self._shared: dict[tuple[str, int], Gate] = {}
        self._known: dict[tuple[str, str, str, str, int], tuple[StepPolicy | None, Terms]] = {}

    def anew(self) -> Policies:
        """Return the same rules with nothing counted, held or opened, for a forked child."""
        return Policies(
            self.rules,
            budgets=self.budgets,
            codec=self._codec,
            open_cache=self._open_cache,
            price=self._price,
            approval=self._approval,
            clock=self._clock,
        )

    def add(self, rules: Iterable[Rule]) -> None:
        """Lay down more rules, on top of those there are."""
        self.rules = (*self.rules, *rules)
        self._known.clear()

    def terms(self, call: Call, agent: str) -> Terms:
        """Return what is put around *call*: one look-up, after the first of its kind."""
        if not self.rules and call.policy is None and self._budget is None:
            return plain_terms(call, agent)
        key = (call.adapter, call.kind, call.name, agent, id(call.policy))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:  # names that a program makes up as it goes
                self._known.clear()
            # The program's policy is kept beside its id, which could be another's otherwise.
            known = (call.policy, self._made(StepKind(*key[:4]), call.policy))
            self._known[key] = known
        return known[1]

    def resolved(self, step: StepKind, own: StepPolicy | None = None) -> Resolved:
        """Return what the rules say about a kind of step, and which rule decided what."""
        return resolve((*own_rules(step, own), *self.rules), step)

    def _made(self, step: StepKind, own: StepPolicy | None) -> Terms:
        found = self.resolved(step, own)
        policy = found.policy
        once: list[Gate] = []
        if policy.cache is not None and policy.cache.ttl != 0:
            once.append(CacheGate(policy.cache, StepCache(self.cache, self._codec, self._clock)))
        if policy.approve and self._approval is not None:
            once.append(self._approval)
        if self._budget is not None and step.kind == "model":
            once.append(self._budget)
        each: list[Gate] = []
        if policy.concurrency is not None:
            limit = policy.concurrency
            said = found.said["concurrency"]
            each.append(self._of_rule("concurrency", said, lambda: ConcurrencyGate(limit)))
        if policy.rate is not None:
            each.append(self._of_rule("rate", found.said["rate"], lambda: self._rate(found)))
        return Terms(policy, tuple(once), tuple(each))

    def _of_rule(self, what: str, said: Said, make: Callable[[], Gate]) -> Gate:
        """Return the gate that all steps share whose *what* one rule decided."""
        key = (what, id(said.rule)) if said.rule in self.rules else (f"{what} {said.rule.match}", 0)
        return self._shared.get(key) or self._shared.setdefault(key, make())

    def _rate(self, found: Resolved) -> Gate:
        said = found.said["rate"]
        name = str(said.rule.match)
        return RateGate(said.value, name, self.cache, self._clock, self._estimates)

    @property
    def cache(self) -> Cache:
        """Where cached outcomes and the windows of rates are kept; opened when first asked for."""
        if self._cache is None:
            self._cache = self._open_cache()
        return self._cache

    def close(self) -> None:
        """Let go of the cache, if it was opened."""
        close = getattr(self._cache, "close", None)
        if close is not None:
            close()
