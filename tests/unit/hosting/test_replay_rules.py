"""The table ``[replay]`` of a file: programs that ask without it, and go on with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durably import Host, MemoryStorage, entrypoint, task

CONFIG = {"configurable": {"thread_id": "t"}}


class Program:
    """A workflow whose processes read one file of configuration."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "durably.toml"
        self._storage = MemoryStorage()

    def says(self, text: str) -> None:
        self._file.write_text(text)

    def run(self, body: Callable[..., Any], given: Any = None) -> Any:
        """Run the body in a new process: begin it, or continue it."""

        def flow(value: Any) -> Any:
            return body()

        host = Host(self._storage, config=self._file)
        try:
            return entrypoint(checkpointer=host)(flow).invoke(given, CONFIG)
        finally:
            host.close()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    made = Program(tmp_path)
    made.says("")
    return made


class Inbox:
    """Letters that are put away once they are answered."""

    def __init__(self, *names: str) -> None:
        self.left = list(names)
        self.sent: list[str] = []

    def answer(self, most: int = 10) -> str:
        @task
        def send(to: str) -> str:
            self.sent.append(to)
            return f"sent to {to}"

        for name in self.left[:most]:
            send(name).result()
            self.left.remove(name)
        if self.left:
            raise RuntimeError("killed")
        return "all sent"


@pytest.mark.parametrize("items", ["['send']", "['mail_*', 'se*']"])
def test_a_program_that_consumes_items_goes_on_without_a_question(
    program: Program, items: str
) -> None:
    """Each letter is sent once; without the declaration a person is asked at the second one."""
    inbox = Inbox("ann", "bob", "cyd")
    with pytest.raises(RuntimeError, match="killed"):
        program.run(lambda: inbox.answer(1), 1)
    asked = program.run(inbox.answer)
    assert "__interrupt__" in asked
    program.says(f"[replay]\nitems = {items}\n")
    assert program.run(inbox.answer) == "all sent"
    assert inbox.sent == ["ann", "bob", "cyd"]


def test_volatile_text_is_no_difference(program: Program) -> None:
    """A revision that differs in each process leads to the recorded outcome."""
    revisions = itertools.count(1)
    paid: list[str] = []

    @task
    def pay(order: str) -> int:
        paid.append(order)
        return len(paid)

    def body(*, is_last: bool) -> int:
        found = pay(f"order 7 (rev-{next(revisions)})").result()
        if not is_last:
            raise RuntimeError("killed")
        return found

    with pytest.raises(RuntimeError, match="killed"):
        program.run(lambda: body(is_last=False), 1)
    assert "__interrupt__" in program.run(lambda: body(is_last=True))
    program.says("[replay]\nvolatile = ['rev-[0-9]+']\n")
    assert program.run(lambda: body(is_last=True)) == 1
    assert paid == ["order 7 (rev-1)"]


def test_other_text_than_the_volatile_one_still_differs(program: Program) -> None:
    """Another order is another request, whatever its revision."""
    program.says("[replay]\nvolatile = ['rev-[0-9]+']\n")

    @task
    def pay(order: str) -> str:
        return order

    def body(order: str) -> str:
        found = pay(order).result()
        if order.startswith("7"):
            raise RuntimeError("killed")
        return found

    with pytest.raises(RuntimeError, match="killed"):
        program.run(lambda: body("7 rev-1"), 1)
    assert "__interrupt__" in program.run(lambda: body("8 rev-1"))
