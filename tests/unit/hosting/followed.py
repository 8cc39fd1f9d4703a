"""The program of another process: three steps, each when it is told to; run by test_following."""

from __future__ import annotations

import sys

from durably import entrypoint, task


@task
def told() -> str:
    """Return the next line of standard input."""
    return sys.stdin.readline().strip()


@entrypoint(checkpointer=sys.argv[1])
def flow(count: int) -> list[str]:
    """Return so many lines."""
    return [told().result() for _ in range(count)]


if __name__ == "__main__":
    given = int(sys.argv[2]) if len(sys.argv) > 2 else None
    flow.invoke(given, {"configurable": {"thread_id": "t"}})
