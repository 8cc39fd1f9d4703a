"""Group commit: who commits for whom, and what happens when something goes wrong."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence

import pytest

from durably.errors import StorageError
from durably.journal.log.group_commit import GroupCommit


class Medium:
    """A commit that can be held up; it records its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.fail: Callable[[str], Exception | None] = lambda job: None
        self.break_off: BaseException | None = None

    def commit(self, jobs: Sequence[str]) -> Sequence[Exception | None]:
        self.batches.append(list(jobs))
        self.begun.set()
        assert self.go_on.wait(10)
        if self.break_off is not None and len(jobs) > 1:
            raise self.break_off
        return [self.fail(job) for job in jobs]


class Caller(threading.Thread):
    def __init__(self, group: GroupCommit[str], job: str) -> None:
        super().__init__()
        self.group, self.job = group, job
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.group.submit(self.job)
        except BaseException as error:
            self.error = error


def start(medium: Medium, group: GroupCommit[str], *followers: str) -> list[Caller]:
    """One caller whose commit is held up, and followers that wait for it, in order."""
    callers = [Caller(group, "first")]
    assert medium.begun.wait(10)
    for number, job in enumerate(followers, 1):
        callers.append(Caller(group, job))
        while len(group._queue) < number:
            pass
    return callers


def finish(medium: Medium, callers: list[Caller]) -> list[BaseException | None]:
    medium.go_on.set()
    for caller in callers:
        caller.join(10)
        assert not caller.is_alive()
    return [caller.error for caller in callers]


def test_lone_caller_commits_by_itself():
    """Without others a job is committed in the caller's own thread."""
    threads: list[int] = []

    def commit(jobs: Sequence[str]) -> Sequence[None]:
        threads.append(threading.get_ident())
        return [None for _ in jobs]

    group = GroupCommit(commit)
    group.submit("a")
    group.submit("b")
    assert threads == [threading.get_ident()] * 2


def test_callers_that_wait_are_committed_together():
    """What queued up during a commit makes the next one, in order of arrival."""
    medium = Medium()
    group = GroupCommit(medium.commit)
    assert finish(medium, start(medium, group, "a", "b", "c")) == [None] * 4
    assert medium.batches == [["first"], ["a", "b", "c"]]


def test_each_caller_gets_its_own_error():
    """One job's failure is its caller's alone, leader or follower."""
    medium = Medium()
    medium.fail = lambda job: ValueError(job) if job in "ac" else None
    group = GroupCommit(medium.commit)
    first, a, b, c = finish(medium, start(medium, group, "a", "b", "c"))
    assert (first, b) == (None, None)
    assert [str(a), str(c)] == ["a", "c"]


def test_interrupted_leader_leaves_nobody_waiting():
    """When the committing thread is interrupted its followers are told, and work goes on."""
    medium = Medium()
    medium.break_off = KeyboardInterrupt()
    group = GroupCommit(medium.commit)
    first, a, b = finish(medium, start(medium, group, "a", "b"))
    assert first is None
    assert isinstance(a, KeyboardInterrupt)
    assert isinstance(b, StorageError)
    assert "not known" in str(b)
    group.submit("later")
    assert medium.batches[-1] == ["later"]


def test_interrupted_follower_is_passed_over():
    """A caller that Ctrl-C ends while it waits neither commits nor takes the lead."""
    medium = Medium()
    group = GroupCommit(medium.commit)
    callers = start(medium, group)
    main = threading.get_ident()

    interrupted = threading.Event()

    def interrupt() -> None:
        while not group._queue:
            pass
        # CPython leaves a signal that comes just before a lock blocks for later: ask again then.
        signal.pthread_kill(main, signal.SIGINT)
        while not interrupted.wait(1):
            signal.pthread_kill(main, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        group.submit("a")
    interrupted.set()
    interrupter.join()
    assert finish(medium, callers) == [None]
    group.submit("later")
    assert medium.batches == [["first"], ["later"]]
