"""A storage that stops a run after its n-th step, in the same process."""

from __future__ import annotations

import pytest

import durably
from durably.errors import StorageError
from durably.testing import StoppingStorage

CONFIG = {"configurable": {"thread_id": "t"}}


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_run_stops_after_so_many_steps_and_goes_on(steps):
    """The n-th step is in the journal, no later one begins, and nothing is executed twice."""
    done = []

    @durably.task
    def note(number):
        done.append(number)
        return number

    storage = StoppingStorage()

    @durably.entrypoint(checkpointer=storage)
    def main(numbers):
        total = 0
        for number in numbers:
            try:
                total += note(number).result()
            except Exception:  # what a framework would swallow is still the run's end
                total = 0
        return total

    storage.stop_after(steps)
    with pytest.raises(StorageError, match="stopped this run"):
        main.invoke([1, 2, 3], CONFIG)
    assert storage.stopped
    assert done == [1, 2, 3][:steps]
    storage.stop_after(None)
    assert main.invoke(None, CONFIG) == 6
    assert done == [1, 2, 3]
