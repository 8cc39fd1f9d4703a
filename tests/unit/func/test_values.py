"""What is recorded of values: as they were handed over, whole, or not at all."""

from __future__ import annotations

import threading

import pytest
from tests.unit.func.places import Place, thread

from durably import EncodeError, task


def test_mutating_a_result_afterwards_does_not_change_the_record(place: Place) -> None:
    """History is what was handed over, not what became of it."""
    broken = [True]

    @task
    def collect() -> list[str]:
        return ["one"]

    def body(_: str) -> list[str]:
        found = collect().result()
        found.append("two")
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == ["one", "two"]


def test_mutating_an_argument_afterwards_does_not_change_its_fingerprint(place: Place) -> None:
    """A call is known by its arguments as they were when it was made."""
    calls: list[int] = []
    broken = [True]

    @task
    def size(items: list[int]) -> int:
        calls.append(len(items))
        return len(items)

    def body(_: str) -> int:
        items: list[int] = []
        total = 0
        for n in range(3):
            items.append(n)
            total += size(items).result()
        if broken:
            raise RuntimeError("stop")
        return total

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == 6
    assert calls == [1, 2, 3]


def test_a_result_that_cannot_be_written_names_run_step_and_path(place: Place) -> None:
    """The error says where the value is, and gets out past `except Exception`."""
    calls: list[int] = []
    later: list[int] = []

    @task
    def bad() -> object:
        calls.append(1)
        return {"ok": 1, "inner": [threading.Lock() if len(calls) == 1 else "fine"]}

    @task
    def after() -> None:
        later.append(1)

    def body(_: str) -> object:
        try:
            found = bad().result()
        except Exception:
            found = "swallowed"
        after().result()
        return found

    with pytest.raises(EncodeError) as caught:
        place.flow(body).invoke("", thread())
    said = str(caught.value) + "".join(caught.value.__notes__)
    assert "inner" in said
    assert "[0]" in said
    assert "bad" in said
    assert "run " in said
    assert later == []
    assert place.flow(body).invoke(None, thread()) == {"ok": 1, "inner": ["fine"]}


def test_an_entrypoints_result_that_cannot_be_kept_is_an_error(place: Place) -> None:
    """An entrypoint's value is the thread's memory, so it must be writable."""
    with pytest.raises(EncodeError):
        place.flow(lambda _: threading.Lock()).invoke("", thread())


def test_an_input_that_cannot_be_written_starts_no_run(place: Place) -> None:
    """The error names the entrypoint, and the thread is free afterwards."""
    flow = place.flow(lambda x: 1)
    with pytest.raises(EncodeError) as caught:
        flow.invoke(threading.Lock(), thread())
    assert "'t'" in "".join(caught.value.__notes__)
    assert flow.invoke(1, thread()) == 1


def test_none_is_a_result_like_any_other(place: Place) -> None:
    """A task that returned nothing is not executed again."""
    calls: list[int] = []
    broken = [True]

    @task
    def act() -> None:
        calls.append(1)

    def body(_: str) -> object:
        found = act().result()
        if broken:
            raise RuntimeError("stop")
        return [found]

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == [None]
    assert calls == [1]


def test_types_survive_the_journal(place: Place) -> None:
    """A replayed tuple is a tuple, a set is a set, a big integer is what it was."""
    value = [(1, "a"), {2, 3}, 2**80, 1 + 2j, b"x", frozenset({4}), {"k": (5,)}, {6: 7}]
    broken = [True]

    @task
    def make() -> object:
        return value

    def body(_: str) -> object:
        found = make().result()
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == value
