"""Caches, rates and limits around steps that know nothing of them."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from durably import CachePolicy, InMemoryCache, RatePolicy, SqliteCache, StepPolicy
from durably.engine import Call, current
from durably.journal.records import StepEnded
from durably.testing import FakeClock


def usage(_):
    return {"input_tokens": 10, "output_tokens": 5}


def model(request, execute, name="m"):
    scope = current()
    assert scope is not None
    return scope.step(Call("model", name, request, usage=usage), execute)


class Counted:
    """Counts how often it is executed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times = 0
        self.error = error

    def __call__(self):
        self.times += 1
        if self.error is not None:
            raise self.error
        return {"answer": self.times}


CACHED = {"model": StepPolicy(cache=CachePolicy(ttl=60))}


def lanes(*bodies):
    """Run bodies one after the other in lanes of their own."""

    def run():
        return [body_in(f"lane{number}", body) for number, body in enumerate(bodies)]

    def body_in(segment, body):
        with current().span("part", segment):
            return body()

    return run


def test_an_answer_serves_the_same_request_again(runs):
    """The second step is recorded as cached, with what the first had taken."""
    ask = Counted()
    body = lanes(*[lambda: model({"q": 1}, ask)] * 2)
    value = runs.drive(body, policies=CACHED, cache=InMemoryCache()).value
    assert value == [{"answer": 1}, {"answer": 1}]
    assert ask.times == 1
    first, second = runs.records(StepEnded)
    assert (first.cached, second.cached) == (False, True)
    assert second.usage == {"input_tokens": 10, "output_tokens": 5}
    assert second.attempts == 0


def test_another_request_is_another_answer(runs):
    """The key is every argument that changes the answer."""
    ask = Counted()
    body = lanes(
        lambda: model({"q": 1, "tool_choice": "auto"}, ask),
        lambda: model({"q": 1, "tool_choice": "required"}, ask),
        lambda: model({"q": 1, "tool_choice": "auto"}, ask, name="another"),
    )
    runs.drive(body, policies=CACHED, cache=InMemoryCache())
    assert ask.times == 3


def test_a_failure_is_not_kept(runs):
    """The next step tries for itself."""
    ask = Counted(ConnectionError("down"))

    def survived():
        try:
            return model({"q": 1}, ask)
        except ConnectionError:
            return None

    runs.drive(lanes(survived, survived), policies=CACHED, cache=InMemoryCache())
    assert ask.times == 2


def test_a_value_expires(runs, tmp_path):
    """After its time the step is executed again."""
    clock = FakeClock()
    cache = SqliteCache(tmp_path / "cache.db", clock=clock.now)
    ask = Counted()

    def later():
        clock.advance(61)
        return model({"q": 1}, ask)

    body = lanes(lambda: model({"q": 1}, ask), later)
    assert runs.drive(body, policies=CACHED, cache=cache, clock=clock).value[1] == {"answer": 2}
    cache.close()


@pytest.mark.parametrize(("scope", "times"), [("global", 1), ("thread", 1), ("run", 2)])
def test_a_scope_says_whose_steps_are_served(runs, scope, times):
    """Those of every run, of the thread, or of the run only."""
    ask, cache = Counted(), InMemoryCache()
    policies = {"model": StepPolicy(cache=CachePolicy(scope=scope))}
    runs.drive(lambda: model({"q": 1}, ask), policies=policies, cache=cache)
    host = runs.host(policies=policies, cache=cache)
    run = host.begin("again", None, thread="t")
    from durably.engine import drive

    drive(run, lambda: model({"q": 1}, ask))
    host.release(run)
    assert ask.times == times


def test_a_served_step_is_replayed_without_the_cache(runs):
    """What the program was handed is in the journal; the cache may be gone."""
    ask = Counted()
    body = lanes(*[lambda: model({"q": 1}, ask)] * 2)
    runs.drive(body, policies=CACHED, cache=InMemoryCache())
    again = runs.drive(body, policies=CACHED, cache=InMemoryCache())
    assert again.value == [{"answer": 1}, {"answer": 1}]
    assert ask.times == 1


def test_a_served_value_goes_through_the_adapters_codec(runs):
    """It is restored as a recorded one is, side effects and all."""
    restored = []

    def load(stored):
        restored.append(stored)
        return ("loaded", stored)

    def body():
        call = Call("model", "m", "q", dump=lambda value: value[1], load=load)
        return current().step(call, lambda: ("made", 7))

    found = runs.drive(lanes(body, body), policies=CACHED, cache=InMemoryCache()).value
    assert found == [("made", 7), ("loaded", 7)]
    assert restored == [7]


def test_a_broken_cache_is_a_cache_without_the_value(runs, tmp_path, caplog):
    """The step is executed, and the log says so."""
    cache = SqliteCache(tmp_path / "cache.db")
    cache.close()
    ask = Counted()
    outcome = runs.drive(lambda: model({"q": 1}, ask), policies=CACHED, cache=cache)
    assert outcome.value == {"answer": 1}
    assert "the cache failed" in caplog.text


def in_threads(count, body):
    """Run *body* in threads of the program's own, each in a lane of its own."""

    def run():
        scope = current()

        def branch(number):
            inner = scope.child(f"branch{number}")
            with inner.entered():
                return body()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(branch, range(count)))

    return run


def test_callers_at_the_same_time_compute_once(runs):
    """The others wait for the first."""
    ask, go = Counted(), threading.Event()

    def slow():
        go.wait(5)
        return ask()

    threading.Timer(0.1, go.set).start()
    body = in_threads(4, lambda: model({"q": 1}, slow))
    found = runs.drive(body, policies=CACHED, cache=InMemoryCache()).value
    assert found == [{"answer": 1}] * 4
    assert ask.times == 1


async def test_coroutines_at_the_same_time_compute_once(runs):
    """As threads do."""
    ask = Counted()

    async def slow():
        await asyncio.sleep(0.01)
        return ask()

    async def branch(number):
        with current().child(f"b{number}").entered():
            return await current().astep(Call("model", "m", "q"), slow)

    async def body():
        return await asyncio.gather(*map(branch, range(4)))

    found = (await runs.adrive(body, policies=CACHED, cache=InMemoryCache())).value
    assert found == [{"answer": 1}] * 4


def test_a_cached_stream_is_served_in_its_pieces(runs):
    """One after the other, as they came."""
    opened = []

    def source():
        opened.append(1)
        yield from ("a", "b", "c")

    def body():
        return list(current().stream(Call("model", "m", "q"), source))

    found = runs.drive(lanes(body, body), policies=CACHED, cache=InMemoryCache()).value
    assert found == [["a", "b", "c"], ["a", "b", "c"]]
    assert len(opened) == 1


class Most:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()

    def __enter__(self):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1


def test_no_more_steps_are_under_way_than_allowed(runs):
    """The others wait their turn."""
    most, number = Most(), iter(range(100))

    def busy():
        with most:
            threading.Event().wait(0.01)

    body = in_threads(6, lambda: model(next(number), busy))
    runs.drive(body, policies={"model": StepPolicy(concurrency=2)})
    assert most.most == 2


async def test_no_more_coroutines_are_under_way_than_allowed(runs):
    """As for threads; a cancelled one gives its place back."""
    most = Most()

    async def busy():
        with most:
            await asyncio.sleep(0.01)

    async def branch(number):
        with current().child(f"b{number}").entered():
            return await current().astep(Call("model", "m", number), busy)

    async def body():
        late = asyncio.ensure_future(branch(99))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.gather(*map(branch, range(5)))

    outcome = await runs.adrive(body, policies={"model": StepPolicy(concurrency=2)})
    assert outcome.status == "done"
    assert most.most <= 2


def test_a_step_inside_another_does_not_wait_for_it(runs):
    """One place is enough for a tool that asks a model, if the policy is for both."""

    def tool():
        return model("inner", lambda: "answer")

    def body():
        return current().step(Call("tool", "t", {}), tool)

    outcome = runs.drive(body, policies={"*": StepPolicy(concurrency=1)})
    assert outcome.value == "answer"


def test_steps_begin_no_faster_than_their_rate(runs):
    """The third of two a minute waits for the first to be a minute ago."""
    clock = FakeClock(start=0.0)
    began = []

    def body():
        for number in range(5):
            model(number, lambda: began.append(clock.now()))
            clock.advance(1)

    policies = {"model": StepPolicy(rate=RatePolicy(requests=2))}
    runs.drive(body, policies=policies, clock=clock, cache=InMemoryCache())
    assert began == [0, 1, 60, 61, 120]


def test_one_rule_is_one_limit_for_all_its_steps(runs):
    """Two models under one pattern share it; another rule has its own."""
    clock = FakeClock(start=0.0)

    def body():
        for name in ("openai/a", "openai/b", "other"):
            model("q", clock.now, name=name)
        return clock.now()

    one = StepPolicy(rate=RatePolicy(requests=1))
    policies = {"model:openai/*": one, "model:other": one}
    outcome = runs.drive(body, policies=policies, clock=clock, cache=InMemoryCache())
    assert outcome.value == 60


def test_tokens_are_reserved_and_corrected(runs):
    """What a call took counts in the end, not what it might have taken."""
    clock = FakeClock(start=0.0)

    def body():
        for number in range(3):
            model({"max_tokens": 80, "q": number}, lambda: None)
        return clock.now()

    policies = {"model": StepPolicy(rate=RatePolicy(tokens=120))}
    outcome = runs.drive(body, policies=policies, clock=clock, cache=InMemoryCache())
    assert outcome.value == 0  # 15 were used each time, of about 90 reserved


def test_a_server_that_says_wait_closes_the_gate_for_all(runs):
    """The next call of the rule waits as long as the last one was told to."""

    class Busy(Exception):
        def __init__(self):
            self.response = self
            self.status_code = 429
            self.headers = {"retry-after": "30"}

    clock = FakeClock(start=0.0)

    def busy():
        raise Busy

    def body():
        try:
            model(1, busy)
        except Busy:
            model(2, clock.now)
        return clock.now()

    policies = {"model": StepPolicy(rate=RatePolicy(requests=100))}
    outcome = runs.drive(body, policies=policies, clock=clock, cache=InMemoryCache())
    assert outcome.value == 30


def test_hosts_that_share_a_cache_share_a_rate(runs, tmp_path):
    """The window is in the file, for every process that opens it."""
    clock = FakeClock(start=0.0)
    policies = {"model": StepPolicy(rate=RatePolicy(requests=1))}
    for number, expected in ((1, 0), (2, 60)):
        cache = SqliteCache(tmp_path / "cache.db", clock=clock.now)
        host = runs.host(policies=policies, clock=clock, cache=cache)
        run = host.begin("test", number, thread=f"t{number}")
        from durably.engine import drive

        assert drive(run, lambda: model("q", clock.now)).value == expected
        host.release(run)
        cache.close()


def test_a_rate_that_cannot_be_looked_up_stops_nothing(runs, tmp_path, caplog):
    """A broken cache is told of in the log."""
    cache = SqliteCache(tmp_path / "cache.db")
    cache.close()
    policies = {"model": StepPolicy(rate=RatePolicy(requests=1))}
    outcome = runs.drive(lambda: model(1, lambda: "ok"), policies=policies, cache=cache)
    assert outcome.value == "ok"
    assert "cannot be looked up" in caplog.text
