"""The composition root: a journal, plug-ins, adapters and policies, and how runs begin on them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

from ..adapting import Adapter, TerminalAdapter, ThreadsAdapter, activate
from ..caching import Cache
from ..engine import (
    IDENTITY,
    Answer,
    Answerer,
    Approval,
    Clock,
    Extension,
    Options,
    Run,
    Sink,
    Sources,
    SystemClock,
    fingerprint,
    interrupt_of,
    made,
    relay,
    watch_made_tokens,
)
from ..errors import ConfigError, EncodeError
from ..hooks import Plugins
from ..journal import Codec, Journal, Storage, ThreadLog
from ..journal.records import Asked, RunEnded, RunResumed, RunStarted
from ..listeners import Listener, Listeners
from ..policies import Config, Match, Policies, Rule, config_for, read, rules_of
from ..process_fork import tell_of_forks
from ..types import Budget, Interrupt, OnChange, RunInfo, RunView, StepPolicy
from .newest_run import given_up, newest_run
from .opened_journal import OpenedJournal
from .people.answer_records import record_answers
from .run_views import new_run_id
from .streams.stream import ajoined, following, joined

_log = logging.getLogger("durably")

_NO_PRICES = (
    "a budget in USD needs prices, and nothing here knows any. Install durably[cost], give them "
    "under [tool.durably.prices], or limit tokens."
)

DEFAULT_URL = "sqlite:///.durably/journal.db"
"""Where runs are kept if nothing else is said: below the working directory."""


class Host:
    """What runs are driven on. Safe to share between threads and event loops.

    The journal is opened when it is first used, in the process that uses it. A forked child may use
    a host that was made, or used, in its parent: it opens the journal for itself and holds none of
    the parent's threads.

    Args:
        checkpointer: A journal's URL, or a storage.
        plugins: Objects with hook implementations, asked before those that are installed.
        listeners: Who watches, besides the plug-ins' own.
        policies: Step policies by pattern or :class:`durably.Match`.
        approve: Steps that a person must agree to: the name of a tool or task, a glob of tools'
            names, a kind, or ``kind:name``.
        budgets: What runs and threads may spend on models.
        cache: What cached outcomes and the windows of rates are kept in: a URL or a cache; by
            default they are kept where the journal is.
        config: A file with policies that go over these, or what was read from one; by default the
            one that is nearest to the program, upward. False: none.
        on_change: What to do with steps whose request changed.
        stream_resumable: Whether parts that a step writes while it goes (``custom``, ``messages``)
            are recorded too, for those who join a run's stream from another process.
        catch_input: Whether what programs read from the terminal themselves (``input``,
            ``getpass``, click's and rich's prompts) is a step, as it is under ``durably run``.
        prompter: Puts questions to the person at the terminal, if somebody sits there.
        clock: Time.
        allow: Module prefixes whose data classes the journal may name.

    Raises:
        ConfigError: The file says what cannot be.
    """

    def __init__(
        self,
        checkpointer: str | Storage = DEFAULT_URL,
        *,
        plugins: Plugins | Iterable[object] = (),
        listeners: Iterable[Listener] = (),
        policies: Mapping[Any, StepPolicy] | None = None,
        approve: Iterable[str] = (),
        budgets: Sequence[Budget] = (),
        cache: str | Cache | None = None,
        config: str | Path | Config | Literal[False] | None = None,
        on_change: OnChange = "auto",
        stream_resumable: bool = False,
        catch_input: bool = False,
        prompter: Answerer | None = None,
        clock: Clock | None = None,
        allow: Iterable[str] = (),
    ) -> None:
        watch_made_tokens()
        self.plugins = plugins if isinstance(plugins, Plugins) else Plugins(plugins)
        self.config = _config(config)
        limits = self._limits(budgets)
        own = [ThreadsAdapter(), TerminalAdapter()] if catch_input else [ThreadsAdapter()]
        self.adapters: list[Adapter] = [*own, *self.plugins.adapters()]
        self.clock = clock or SystemClock()
        self.codec = self._written_with(allow)
        self._journal = OpenedJournal(checkpointer, self.plugins, self.codec, self.clock.now)
        self._cache = self.config.cache if cache is None else cache
        self._owns_cache = isinstance(self._cache, str)
        approval = Approval()
        self.policies = Policies(
            [*rules_of(policies or {}, "policies=…"), *self.config.rules, *_asking(approve)],
            budgets=limits,
            codec=self.codec,
            open_cache=self._open_cache,
            price=self._price,
            approval=approval,
            clock=self.clock,
        )
        self.options = Options(
            terms=self.policies.terms,
            approval=approval,
            on_change=on_change,
            listeners=Listeners([*listeners, *self.plugins.listeners()]),
            clock=self.clock,
            answerer=self._answer,
            price=self._price,
            escalate=self._escalate,
            prompter=prompter,
            catches_input=catch_input,
            relays=stream_resumable,
            sources=Sources(),
            volatile=self.config.replay.volatile,
            items=self.config.replay.items,
        )
        tell_of_forks(self)

    @property
    def journal(self) -> Journal:
        """The journal; opened when it is first asked for, in the process that asks.

        Raises:
            StorageError: It cannot be opened.
        """
        return self._journal.opened()

    def before_fork(self) -> None:
        """Do nothing: each part sees to itself."""

    def after_fork(self, *, in_child: bool) -> None:
        """Begin anew in the child: limits that the parent's threads have taken up are theirs."""
        if in_child:
            self.policies = self.policies.anew()
            self.options = replace(self.options, terms=self.policies.terms)

    def _written_with(self, allow: Iterable[str]) -> Codec:
        """Return how values are written, plug-ins' and frameworks' own among them."""
        codecs = [*self.plugins.codecs()]
        allowed = [*allow]
        for adapter in self.adapters:
            codecs += adapter.codecs
            allowed += adapter.allow
        return Codec(codecs, allow=allowed)

    def _limits(self, budgets: Sequence[Budget]) -> Sequence[Budget]:
        """Return the file's budgets over the given ones; refuse those that could not hold."""
        limits = Config(budgets=budgets).under((), self.config.budgets).budgets
        if any(one.usd for one in limits) and not (self.config.prices or self.plugins.know_prices):
            raise ConfigError("budget", 0, _NO_PRICES)
        return limits

    def _answer(self, interrupt: Interrupt, run: RunInfo) -> Answer | None:
        return self.plugins.answer(interrupt, run)

    def _price(self, model: str, usage: Mapping[str, Any]) -> float | None:
        """Return a price that the file gives, or ask the plug-ins; one that fails knows none."""
        given = self.config.prices.get(model)
        if given is not None:
            return given.cost(usage)
        try:
            return self.plugins.price(model, usage)
        except Exception:
            _log.warning("no price for %s: a plug-in failed", model, exc_info=True)
            return None

    def _open_cache(self) -> Cache:
        """Open what caches and rates are kept in: the journal's own place, if nothing is said."""
        if self._owns_cache:
            url = self._cache if isinstance(self._cache, str) else ""
            return cast("Cache", self.plugins.open_cache(url or self._journal.place))
        return cast("Cache", self._cache)

    def _escalate(self, interrupt: Interrupt, run: RunInfo) -> Answer | Extension | None:
        return self.plugins.escalate(interrupt, run)

    def ask_before(self, patterns: Iterable[str]) -> None:
        """Have a person asked before steps that match, from now on; see *approve* above."""
        self.policies.add(_asking(patterns))

    def activate(self) -> None:
        """Put the adapters' seams into frameworks, imported or yet to come.

        Raises:
            AdapterMismatch: An imported framework does not fit its adapter.
        """
        activate(self.adapters)

    def begin(
        self,
        entry: str,
        given: Any,
        *,
        thread: str | None = None,
        meta: Mapping[str, Any] | None = None,
        sink: Sink | None = None,
    ) -> Run:
        """Start a new run, on a thread of its own unless one is named.

        Raises:
            ThreadBusy: The thread is being driven.
            EncodeError: What the run was given cannot be written.
        """
        run_id = new_run_id()
        log = self.journal.take(thread or run_id)
        return self.begin_on(log, entry, given, run_id=run_id, meta=meta, sink=sink)

    def begin_on(
        self,
        log: ThreadLog,
        entry: str,
        given: Any,
        *,
        run_id: str = "",
        meta: Mapping[str, Any] | None = None,
        sink: Sink | None = None,
        supersedes: bool = False,
    ) -> Run:
        """Like :meth:`begin`, on a thread that is held already.

        Args:
            log: The thread.
            entry: What is started.
            given: Its input.
            run_id: The run's id; a new one if it is empty.
            meta: What to note about the run.
            sink: Takes stream parts.
            supersedes: Whether the run takes the place of the thread's unfinished one, which is
                given up in the same commit.
        """
        run_id = run_id or new_run_id()
        now = self.clock.now()
        try:
            self.activate()
            body, blobs = self.codec.split(given)
            why = "the thread got a new input"
            ended = given_up(log, run_id, why, now) if supersedes else None
        except BaseException as error:
            log.release()
            if isinstance(error, EncodeError):
                error.add_note(f"the input of {entry} on thread {log.thread!r}")
            raise
        info = RunInfo(run_id, log.thread, entry, resumed=False)
        run = Run(info, log, self.codec, self.options, started=now, sink=sink)
        relay(run)
        record = RunStarted(entry, now, fingerprint(given)[0], body, _noted(run, meta))
        self._first_append(run, record, blobs, ended)
        return run

    def resume(
        self,
        view: RunView,
        *,
        answers: Mapping[str, Any] | None = None,
        by: str = "",
        meta: Mapping[str, Any] | None = None,
        sink: Sink | None = None,
    ) -> Run:
        """Take an earlier run up again, finished or not; its code is to be called from the top.

        Args:
            view: Which run.
            answers: Answers to its open questions, by interrupt id.
            by: Who answered, for the record.
            meta: What to note about this process.
            sink: Takes stream parts.

        Raises:
            ThreadBusy: Another process is driving it.
            ResumeError: An answer does not fit; nothing was recorded.
        """
        log = self.journal.take(view.thread)
        return self.taken_up(log, view, answers=answers, by=by, meta=meta, sink=sink)

    def taken_up(
        self,
        log: ThreadLog,
        view: RunView,
        *,
        answers: Mapping[str, Any] | None = None,
        by: str = "",
        meta: Mapping[str, Any] | None = None,
        sink: Sink | None = None,
    ) -> Run:
        """Like :meth:`resume`, on a thread that is held already."""
        try:
            self.activate()
            if answers:
                record_answers(log, self.codec, view.run, answers, by=by, now=self.clock.now())
            rows = log.rows_of(view.run)
            info = RunInfo(view.run, log.thread, view.entry, resumed=True)
            run = Run(info, log, self.codec, self.options, rows, started=view.started, sink=sink)
            relay(run)
        except BaseException:
            log.release()
            raise
        run.info = info._replace(recorded=run.past.finished)
        self._first_append(run, RunResumed(self.clock.now(), _noted(run, meta)), {})
        return run

    def answer(self, view: RunView, answers: Mapping[str, Any], by: str = "") -> None:
        """Record answers to a run's open questions without going on with it.

        Raises:
            ThreadBusy: A process is driving the run.
            AnswerRefused: An answer does not fit; nothing was recorded.
        """
        log = self.journal.take(view.thread)
        try:
            record_answers(log, self.codec, view.run, answers, by=by, now=self.clock.now())
        finally:
            log.release()

    def _first_append(
        self,
        run: Run,
        record: RunStarted | RunResumed,
        blobs: Any,
        ended: tuple[str, RunEnded] | None = None,
    ) -> None:
        try:
            run.append(record, blobs=blobs, ended=ended)
            if run.log is not None:
                run.log.write_begun()
        except BaseException as error:
            self.release(run)
            raise (run.failure or error) from None

    def given_to(self, run: Run) -> Any:
        """Return what a run that was taken up again had been given when it began."""
        assert run.log is not None
        begun = run.log.start_of(run.id).record
        assert isinstance(begun, RunStarted)
        return run.log.value(begun.value)

    def release(self, run: Run) -> None:
        """Give the run's thread back."""
        if run.log is not None:
            run.log.release()

    def questions(self, view: RunView) -> list[Interrupt]:
        """Return the open questions of a run, in the order in which they were first asked."""
        asked = {
            one.record.id: one.record
            for one in self.journal.read(view.thread)
            if one.run == view.run and isinstance(one.record, Asked)
        }
        return [
            interrupt_of(asked[identity], self.journal.value(view.thread, asked[identity].question))
            for identity in view.open
            if identity in asked
        ]

    def latest(self, log: ThreadLog) -> RunView | None:
        """Return the newest run of a thread that is held."""
        return newest_run(log)

    def join_stream(
        self,
        thread: str,
        *,
        stream_mode: str | Sequence[str] = "updates",
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """Yield the parts of a thread's newest run, which another process may drive.

        What is recorded comes at once, the rest as it is committed, until the run ends or waits
        for somebody. A run whose process dies goes on in the same stream when it is continued, and
        a thread that has no run yet is waited for. Results are as the journal keeps them: of a call
        that left something behind in its object, an adapter keeps that too.

        Args:
            thread: The thread's id.
            stream_mode: A mode or a list of modes, as in :meth:`Durable.stream`. Parts of
                ``custom`` and ``messages`` come from hosts with ``stream_resumable``.
            timeout: Seconds without anything new after which it is given up.

        Raises:
            TimeoutError: Nothing new came in time.
            Exception: What ended the run.

        Example:
            >>> host = Host("memory:")
            >>> list(host.join_stream("nobody", timeout=0))
            Traceback (most recent call last):
            TimeoutError: thread 'nobody': nothing new for 0 seconds
        """
        return joined(stream_mode, following(stream_mode, self.journal, thread, timeout))

    def ajoin_stream(
        self,
        thread: str,
        *,
        stream_mode: str | Sequence[str] = "updates",
        timeout: float | None = None,
    ) -> AsyncIterator[Any]:
        """Like :meth:`join_stream`, without holding up the event loop."""
        return ajoined(stream_mode, following(stream_mode, self.journal, thread, timeout))

    def close(self) -> None:
        """Close the journal, and the cache if it was opened here."""
        if self._owns_cache:
            self.policies.close()
        self._journal.close()


def _asking(patterns: Iterable[str]) -> Iterator[Rule]:
    """Yield the rules that a person is asked; a name alone means what does something."""
    for pattern in patterns:
        match = Match.of(pattern)
        if not match.kind:
            is_glob = any(sign in pattern for sign in "*?[")
            match = replace(match, kind=("tool", "code") if is_glob else ("tool", "code", "task"))
        yield Rule(match, StepPolicy(approve=True), "approve=…")


def _config(given: str | Path | Config | Literal[False] | None) -> Config:
    if given is False:
        return Config()
    if isinstance(given, Config):
        return given
    return config_for() if given is None else read(Path(given))


def _noted(run: Run, meta: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is noted of an entry into a run: facts of the process, and the caller's."""
    entered = made.enter()
    run.made_before = entered.made_before
    identity = {} if run.info.resumed else {"identity": IDENTITY}
    return {**identity, "process": entered.facts, **(meta or {})}
