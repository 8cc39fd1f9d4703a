"""A program ends with its own exit code whatever its daemon threads are doing at that moment."""

from __future__ import annotations

import pytest
from tests.support.commands import Place

BUSY = """
import asyncio, sys, threading
from pydantic import BaseModel, field_validator
from durably import entrypoint, task

class Row(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def slow(cls, value):
        for _ in range(2000):  # Python code below Rust frames: the lock changes hands here
            pass
        return value

class Table(BaseModel):
    rows: list[Row]

working = threading.Event()

def work():
    for _ in range(200):
        working.set()
        Table.model_validate({"rows": [{"number": n} for n in range(200)]})

@task
def plain(_):
    work()

@entrypoint()
def flow(given):
    plain(given).result()

@task
async def patient(_):
    work()

@entrypoint()
async def aflow(given):
    await patient(given)

def background():
    how = sys.argv[1]
    if how == "step":
        flow.invoke(1)
    elif how == "coroutine":
        asyncio.run(aflow.ainvoke(1))
    elif how == "plain":
        work()

log = open("log.txt", "w")
log.write("written and never flushed")
for _ in range(3):
    threading.Thread(target=background, daemon=True).start()
working.wait()
"""

ENDINGS = {
    "waits": ("input('Your name? ')", 75),
    "done": ("pass", 0),
    "failed": ("raise LookupError('lost')", 1),
    "exited": ("sys.exit(7)", 7),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("how", ["step", "coroutine", "plain"])
@pytest.mark.parametrize("command", ["run", "exec"])
def test_exit_code_is_the_programs(place: Place, command: str, how: str, ending: str):
    """Daemon threads below Rust frames do not abort a process that waits, is done or failed."""
    last, code = ENDINGS[ending]
    if (command, how, ending) == ("exec", "plain", "waits"):
        code = 1  # a program without a step has no run: its input() ends in an EOFError
    place.write("busy.py", BUSY + last + "\n")
    words = ["run", "busy.py"] if command == "run" else ["exec", "--", "python", "busy.py"]
    done = place.durably(*words, how)
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Fatal" not in done.stderr


def test_end_of_the_process_is_the_interpreters(place: Place):
    """Files are flushed, ``atexit`` functions called and output written, as at any other end."""
    place.write(
        "busy.py", BUSY + "import atexit\natexit.register(print, 'goodbye')\nprint('end')\n"
    )
    done = place.durably("run", "busy.py", "plain")
    assert done.stdout == "end\ngoodbye\n"
    assert place.lines("log.txt") == ["written and never flushed"]
