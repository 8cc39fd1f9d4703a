"""A script of tasks that asks at its terminal: golden journals without any framework."""

from __future__ import annotations

from pathlib import Path

from durably import task


def record(line: str) -> None:
    """Record that a task did its work."""
    with Path("done.txt").open("a", encoding="utf-8") as done:
        done.write(f"{line}\n")


@task
def write(topic: str) -> str:
    """Write an essay."""
    record(f"write {topic}")
    return f"An essay about {topic}"


@task
def publish(essay: str) -> str:
    """Publish an essay."""
    record(f"publish {essay}")
    return f"published: {essay}"


if __name__ == "__main__":
    text = write("tea").result()
    verdict = input("Publish? ")
    print(publish(text).result() if verdict == "yes" else "not published")
