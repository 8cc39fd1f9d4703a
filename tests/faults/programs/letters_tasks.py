"""Answers the letters of a folder with plain tasks; each is removed once its answer is sent."""

import os
import signal
from pathlib import Path

import durably


@durably.task
def answer(who):
    return f"Dear {who}"


for letter in sorted(Path("inbox").iterdir()):
    text = answer(letter.name).result()
    with Path("effects.txt").open("a") as file:
        file.write(f"{letter.name}: {text}\n")
    letter.unlink()
    if os.environ.get("DIES_AFTER") == letter.name:
        os.kill(os.getpid(), signal.SIGKILL)
print("RESULT", Path("effects.txt").read_text().splitlines())
