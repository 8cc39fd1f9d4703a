"""Cached tasks: the documentation's example, keys, lifetimes, clearing."""

from __future__ import annotations

from typing import Any

from tests.parity.parity import parity, thread

CALLS: list[Any] = []
"""What the tasks did; a global, because what a cached task captures is part of its key."""


@parity
def test_caching_tasks(api, say):
    """The documentation's example: the second call is told as cached."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy(ttl=120))
    def slow_add(x: int) -> int:
        CALLS.append(x)
        return x * 2

    @api.entrypoint(cache=api.InMemoryCache())
    def main(inputs: dict) -> dict:
        first = slow_add(inputs["x"]).result()
        return {"result1": first, "result2": slow_add(inputs["x"]).result()}

    list(main.stream({"x": 5}, stream_mode="updates"))
    say(list(main.stream({"x": 5}, stream_mode="updates")))
    say(sorted(set(CALLS)))


@parity
async def test_caching_coroutines(api, say):
    """The same, awaited; tasks that are plain functions too."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy())
    async def work(x: int) -> int:
        CALLS.append(x)
        return x * 2

    @api.task(cache_policy=api.CachePolicy())
    def plain(x: int) -> int:
        CALLS.append(x)
        return x * 3

    @api.entrypoint(cache=api.InMemoryCache())
    async def main(x: int) -> list[int]:
        return [await work(x), await plain(x)]

    say(await main.ainvoke(5))
    say(await main.ainvoke(5))
    say(await main.ainvoke(6))
    say(list(CALLS))


@parity
def test_a_key_of_ones_own(api, say):
    """``key_func`` says which arguments matter."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy(key_func=lambda x, note: str(x)))
    def work(x: int, note: str) -> str:
        CALLS.append(x)
        return f"{x} {note}"

    @api.entrypoint(cache=api.InMemoryCache())
    def main(inputs: list) -> str:
        return work(*inputs).result()

    say([main.invoke(one) for one in ([1, "a"], [1, "b"], [2, "c"])])
    say(list(CALLS))


@parity
def test_threads_share_a_cache(api, say):
    """A cache belongs to no thread."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy())
    def work(x: int) -> int:
        CALLS.append(x)
        return x

    @api.entrypoint(cache=api.InMemoryCache(), checkpointer=api.InMemorySaver())
    def main(x: int) -> int:
        return work(x).result()

    for name in ("a", "b", "c"):
        say(main.invoke(1, thread(name)))
    say(list(CALLS))


@parity
def test_tasks_inherit_the_cache_policy_of_their_workflow(api, say):
    """A task without a policy has its workflow's."""
    CALLS.clear()

    @api.task
    def work(x: int) -> int:
        CALLS.append(x)
        return x

    @api.entrypoint(cache=api.InMemoryCache(), cache_policy=api.CachePolicy())
    def main(x: int) -> int:
        return work(x["n"]).result()

    main.invoke({"n": 1, "first": True})
    main.invoke({"n": 1, "first": False})
    say(list(CALLS))


@parity
def test_no_cache_no_caching(api, say):
    """A policy alone caches nothing; neither does a cache alone."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy())
    def with_policy(x: int) -> int:
        CALLS.append(x)
        return x

    @api.task
    def without_policy(x: int) -> int:
        CALLS.append(x)
        return x

    def body(x: int) -> list[int]:
        return [with_policy(x).result(), without_policy(x + 10).result()]

    say([api.entrypoint()(body).invoke(1) for _ in range(2)])
    say(list(CALLS))
    CALLS.clear()
    cached = api.entrypoint(cache=api.InMemoryCache())(body)
    say([cached.invoke(1) for _ in range(2)])
    say(sorted(CALLS))


@parity
def test_clearing_a_task(api, say):
    """``clear_cache`` forgets one task's results."""
    CALLS.clear()
    cache = api.InMemoryCache()

    @api.task(cache_policy=api.CachePolicy())
    def one(x: int) -> int:
        CALLS.append("one")
        return x

    @api.task(cache_policy=api.CachePolicy())
    def two(x: int) -> int:
        CALLS.append("two")
        return x

    @api.entrypoint(cache=cache)
    def main(x: int) -> list[int]:
        return [one(x).result(), two(x).result()]

    main.invoke(1)
    one.clear_cache(cache)
    main.invoke(1)
    say(list(CALLS))


@parity
async def test_clearing_a_task_in_a_coroutine(api, say):
    """``aclear_cache`` does the same; without a policy it does nothing."""
    CALLS.clear()
    cache = api.InMemoryCache()

    @api.task(cache_policy=api.CachePolicy())
    async def work(x: int) -> int:
        CALLS.append(x)
        return x

    @api.task
    async def other(x: int) -> int:
        return x

    @api.entrypoint(cache=cache)
    async def main(x: int) -> int:
        return await work(x)

    await main.ainvoke(1)
    await work.aclear_cache(cache)
    await other.aclear_cache(cache)
    await main.ainvoke(1)
    say(list(CALLS))


@parity
def test_failures_are_not_cached(api, say):
    """A call that failed is made again."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy())
    def work(x: int) -> int:
        CALLS.append(x)
        if len(CALLS) == 1:
            raise ValueError("first")
        return x

    @api.entrypoint(cache=api.InMemoryCache())
    def main(x: int) -> int:
        return work(x).result()

    say.attempt(main.invoke, 1)
    say(main.invoke(1))
    say(list(CALLS))


@parity
def test_none_is_cached(api, say):
    """None is a result."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy())
    def work(x: int) -> None:
        CALLS.append(x)

    @api.entrypoint(cache=api.InMemoryCache())
    def main(x: int) -> None:
        return work(x).result()

    say([main.invoke(1), main.invoke(1)])
    say(list(CALLS))


@parity
def test_what_a_cached_task_captures(api, say):
    """Two tasks of one name that capture different values."""
    cache = api.InMemoryCache()

    def made(factor: int) -> Any:
        @api.task(cache_policy=api.CachePolicy())
        def times(x: int) -> int:
            return x * factor

        @api.entrypoint(cache=cache)
        def main(x: int) -> int:
            return times(x).result()

        return main

    say(made(2).invoke(10))
    say(
        made(3).invoke(10),
        langgraph=20,
        durably=30,
        why="What a cached task captures is part of its key",
    )


@parity
def test_the_order_of_keys_in_a_cached_argument(api, say):
    """Two equal dicts."""
    CALLS.clear()

    @api.task(cache_policy=api.CachePolicy())
    def work(x: dict) -> int:
        CALLS.append(x)
        return 1

    @api.entrypoint(cache=api.InMemoryCache())
    def main(x: Any) -> int:
        return work({"a": 1, "b": 2}).result() + work({"b": 2, "a": 1}).result()

    main.invoke(1)
    say(len(CALLS), langgraph=2, durably=1, why="Equal arguments have equal cache keys")
