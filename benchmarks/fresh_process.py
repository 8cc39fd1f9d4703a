"""Calls a peer's method in a fresh process, so that another can continue what it began.

python -m benchmarks.fresh_process SUBJECT FOLDER POSTGRES METHOD [ARGUMENTS as JSON]
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .peers.factory import peer_for
from .peers.interface import Peer
from .place import CHECKOUT, Place
from .subjects import BY_NAME


def call_elsewhere(peer: Peer, method: str, *arguments: Any) -> float:
    """Call a method of the same subject on the same place in another process.

    Returns:
        The seconds that the call took there.
    """
    done = _called(peer, method, arguments)
    if done.returncode:
        raise RuntimeError(f"{method} failed in the other process: {done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])


def killed_elsewhere(peer: Peer, method: str, *arguments: Any) -> None:
    """Call a method in another process that is killed by it."""
    done = _called(peer, method, arguments)
    if done.returncode != -signal.SIGKILL:
        raise RuntimeError(f"{method} outlived the kill: {done.stderr[-2000:]}")


@contextmanager
def calling_elsewhere(peer: Peer, method: str, *arguments: Any) -> Generator[None]:
    """Call a method in another process beside a block; what it did must have succeeded."""
    command = _command(peer, method, arguments)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT
    ) as process:
        try:
            yield
        except BaseException:
            process.kill()
            raise
        _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{method} failed in the other process: {said[-2000:]}")


def _called(peer: Peer, method: str, arguments: Any) -> subprocess.CompletedProcess[str]:
    command = _command(peer, method, arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)


def _command(peer: Peer, method: str, arguments: Any) -> list[str]:
    place = peer.place
    command = [sys.executable, "-m", "benchmarks.fresh_process", peer.subject.name]
    return [*command, str(place.folder), place.postgres or "", method, json.dumps(arguments)]


def main() -> None:
    name, folder, postgres, method, arguments = sys.argv[1:]
    peer = peer_for(BY_NAME[name], Place(Path(folder), postgres or None))
    with peer.opened():
        began = time.perf_counter()
        getattr(peer, method)(*json.loads(arguments))
        seconds = time.perf_counter() - began
    print(seconds, flush=True)
    os._exit(0)  # whatever a library left waiting in a thread ends here


if __name__ == "__main__":
    main()
