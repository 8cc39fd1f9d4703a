"""Where a lane lies, in LangGraph's words: namespaces such as ``("flow:<id>", "task:<id>")``."""

from __future__ import annotations

import hashlib
import uuid
from functools import lru_cache
from typing import TypeAlias

from ...engine import shown_lane

SEGMENT = "entrypoint:"
"""What the lane segment of a nested entrypoint begins with."""

Lanes: TypeAlias = tuple[str, ...]
"""A lane's path, in segments."""

Namespace: TypeAlias = tuple[str, ...]

_MOST_PATHS = 1024


class Places:
    """The names of what lies in one run, or in one nested entrypoint.

    Args:
        run: The run's id.
        name: The entrypoint's name.
        root: Where the entrypoint lies in its run; empty for the run's own.
    """

    def __init__(self, run: str, name: str, root: Lanes = ()) -> None:
        self._run = run
        self._name = name
        self.root = root
        self._children: dict[Lanes, dict[str, int]] = {}
        self._paths: dict[Lanes, Namespace] = {}

    def identity(self, lanes: Lanes) -> str:
        """Return the id of the task or entrypoint whose lane this is, the same in every process."""
        if not lanes:
            return self._run
        text = "/".join((self._run, *lanes)).encode(errors="surrogatepass")
        return str(uuid.UUID(bytes=hashlib.blake2b(text, digest_size=16).digest()))

    def path(self, lanes: Lanes) -> Namespace:
        """Return what lies around code in a lane, the innermost last.

        A task or entrypoint adds ``name:id``. The second and later entrypoints that are called at
        one place add their number before it.
        """
        found = self._paths.get(lanes)
        if found is None:
            if len(self._paths) >= _MOST_PATHS:
                self._paths.clear()
            found = self._paths[lanes] = self._path(lanes)
        return found

    def _path(self, lanes: Lanes) -> Namespace:
        depth = len(self.root)
        found = [f"{self._name}:{self.identity(self.root)}"]
        for end in range(depth, len(lanes)):
            segment, here = lanes[end], lanes[:end]
            if segment.startswith(SEGMENT):
                number = self._number(here, segment)
                found += [str(number)] if number else []
            found.append(f"{named(segment)}:{self.identity(lanes[: end + 1])}")
        return tuple(found)

    def around(self, lanes: Lanes) -> Namespace:
        """Return the namespace of what code in a lane emits."""
        return self.path(lanes)[:-1]

    def own(self, lanes: Lanes) -> Namespace:
        """Return the namespace of the entrypoint that code in a lane belongs to."""
        return self.around(lanes[: innermost(lanes)])

    def _number(self, here: Lanes, segment: str) -> int:
        children = self._children.setdefault(here, {})
        return children.setdefault(segment, len(children))


def named(segment: str) -> str:
    """Return the name of what a segment stands for."""
    if segment.startswith(SEGMENT):
        return shown_lane(segment.removeprefix(SEGMENT)).partition("#")[0]
    return segment.partition("~")[0]


@lru_cache(maxsize=1024)
def innermost(lanes: Lanes) -> int:
    """Return how many segments lead to the innermost nested entrypoint; 0 if there is none."""
    return max((at + 1 for at, lane in enumerate(lanes) if lane.startswith(SEGMENT)), default=0)
