"""A run goes with the code that a program hands to threads and pools."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from durably.adapting import Call, live_scope

from .runs import steps_of


def work(name="work"):
    """Take a step if there is a run here."""
    scope = live_scope()
    if scope is None:
        return "no run"
    return scope.step(Call("task", name, None), lambda: f"{name} done")


class Worker(threading.Thread):
    """A thread with its work in ``run``, as programs write them."""

    def run(self):
        self.result = work()


def in_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def in_subclass():
    thread = Worker()
    thread.start()
    thread.join()
    return thread.result


def in_timer():
    results = []
    timer = threading.Timer(0, lambda: results.append(work()))
    timer.start()
    timer.join()
    return results[0]


def in_pool():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def in_mapped_pool():
    with ThreadPoolExecutor(2) as pool:
        return next(pool.map(work, ["work"]))


def in_to_thread():
    return asyncio.run(asyncio.to_thread(work))


def in_default_executor():
    async def body():
        return await asyncio.get_running_loop().run_in_executor(None, work)

    return asyncio.run(body())


def in_a_thread_of_a_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(in_thread()))
    thread.start()
    thread.join()
    return results[0]


def in_a_loop_in_a_thread():
    async def body():
        return work()

    results = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(body())))
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.parametrize(
    "way",
    [
        in_thread,
        in_subclass,
        in_timer,
        in_pool,
        in_mapped_pool,
        in_to_thread,
        in_default_executor,
        in_a_thread_of_a_thread,
        in_a_loop_in_a_thread,
    ],
    ids=lambda way: way.__name__,
)
def test_a_run_is_carried(way):
    """Whichever way a program takes into another thread, its steps are recorded."""
    assert steps_of(way) == ("work done", ["work"])
    assert way() == "no run"


def test_a_pool_that_outlives_its_run_carries_the_next_one():
    """A worker that was started in one run takes each item's own run, or none, afterwards."""
    with ThreadPoolExecutor(1) as pool:
        body = lambda: pool.submit(work).result()
        assert steps_of(body) == ("work done", ["work"])
        assert pool.submit(work).result() == "no run"
        assert steps_of(body) == ("work done", ["work"])


def test_a_thread_that_outlives_its_run_is_left_alone():
    """What a program's own thread does after the run is not recorded, and works."""
    over = threading.Event()
    results = []

    def body():
        thread = threading.Thread(target=lambda: (over.wait(), results.append(work())))
        thread.start()
        threads.append(thread)

    threads = []
    _, steps = steps_of(body)
    over.set()
    threads[0].join()
    assert (results, steps) == (["no run"], [])


def test_an_error_in_a_pool_comes_back_as_it_was():
    """A function's own exception reaches the future."""

    def fail():
        raise LookupError("nothing there")

    def body():
        with ThreadPoolExecutor(1) as pool:
            return str(pool.submit(fail).exception())

    assert steps_of(body)[0] == "nothing there"


def test_arguments_reach_the_function():
    """Positional and named arguments of ``submit`` are passed on, ``fn`` among them."""

    def body():
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda *args, fn: [*args, fn], 1, 2, fn=3).result()

    assert steps_of(body)[0] == [1, 2, 3]


def test_starting_twice_is_refused_as_ever():
    """A thread can be started once; the second attempt raises and harms nothing."""

    def body():
        thread = Worker()
        thread.start()
        with pytest.raises(RuntimeError, match="once"):
            thread.start()
        thread.join()
        return thread.result

    assert steps_of(body) == ("work done", ["work"])


def test_a_thread_keeps_nothing_of_the_run():
    """When a thread has ended, no attribute of ours is left on it."""

    def body():
        thread = Worker()
        thread.start()
        thread.join()
        return sorted(name for name in vars(thread) if "run" in name)

    assert steps_of(body)[0] == []


def test_a_pool_outside_of_runs_is_pythons_own():
    """Without a run neither threads nor pools are changed in what they do."""
    steps_of(lambda: None)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == "no run"
    assert in_thread() == "no run"
