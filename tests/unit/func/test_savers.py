"""What programs call on a checkpointer: delete, copy, prune."""

from __future__ import annotations

import pytest

from durably import Command, InMemorySaver, SqliteSaver, entrypoint, interrupt, task
from durably.errors import JournalError


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as opened:
        yield opened


def on(thread):
    return {"configurable": {"thread_id": thread}}


def counting(saver):
    """Return an entrypoint that adds to what it remembers, with a long text in its journal."""

    @task
    def long(x):
        return {"text": "word " * 1000, "x": x}

    @entrypoint(checkpointer=saver)
    def total(x, *, previous=None):
        long(x).result()
        if x < 0:
            x = interrupt("How much?")
        return (previous or 0) + x

    return total


def test_a_copied_thread_goes_on_by_itself(saver):
    """A copy has the memory, the history and the open question; the original is untouched."""
    total = counting(saver)
    total.invoke(1, on("a"))
    total.invoke(-1, on("a"))
    saver.copy_thread("a", "b")
    assert total.invoke(Command(resume=10), on("b")) == 11
    assert total.invoke(Command(resume=20), on("a")) == 21
    assert [state.values for state in total.get_state_history(on("b"))] == [11, 1, 1, None]


def test_a_copy_never_overwrites(saver):
    """A thread that holds something is no target."""
    total = counting(saver)
    total.invoke(1, on("a"))
    total.invoke(2, on("b"))
    with pytest.raises(JournalError, match="'b' holds"):
        saver.copy_thread("a", "b")
    assert total.invoke(1, on("b")) == 3


def test_pruning_keeps_the_state_and_forgets_the_history(saver):
    """The last finished run and what it remembers stay; what was before is gone."""
    total = counting(saver)
    for number in range(1, 6):
        total.invoke(number, on("a"))
    before = len(saver.read("a"))
    saver.prune(["a"])
    assert len(saver.read("a")) < before / 3
    assert total.get_state(on("a")).values == 15
    assert len(list(total.get_state_history(on("a")))) == 2
    assert total.invoke(5, on("a")) == 20


def test_pruning_leaves_an_open_question_open(saver):
    """A run that waits is continued after pruning as before it."""
    total = counting(saver)
    total.invoke(1, on("a"))
    total.invoke(2, on("a"))
    total.invoke(-1, on("a"))
    saver.prune(["a"])
    assert total.invoke(Command(resume=4), on("a")) == 7


def test_pruning_can_forget_all(saver):
    """The strategy ``delete`` leaves nothing; another word is refused."""
    total = counting(saver)
    total.invoke(1, on("a"))
    saver.prune(["a"], strategy="delete")
    assert total.get_state(on("a")).values == {}
    with pytest.raises(ValueError, match="keep_latest"):
        saver.prune(["a"], strategy="some")
