"""Who owns a lease: a process named so that a later one can tell whether it is dead.

An owner is ``host:pid/start/boot/namespace/machine``, and a run adds ``#`` and something of its
own, so that two runs of one process exclude each other. Death is claimed only when it is certain:
a wrong "dead" would let two processes drive one thread, while a wrong "alive" only costs the rest
of a lease.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_UNKNOWN = "-"
_INITIAL_PID_NAMESPACE = "4026531836"
"""Fixed by the kernel (``PROC_PID_INIT_INO``): a process in it is in no container."""

_OWNER = re.compile(
    r"(?P<host>[\w.-]+):(?P<pid>[1-9][0-9]{0,8})/(?P<start>[0-9]+|-)/(?P<boot>[0-9a-f-]+)"
    r"/(?P<namespace>[0-9]+|-)/(?P<machine>[0-9a-f]+|-)(?:#.*)?",
    re.ASCII | re.DOTALL,
)


class _Process(NamedTuple):
    """What tells one process from every other; a field that cannot be known is ``-``."""

    host: str
    pid: str
    start: str
    boot: str
    namespace: str
    machine: str


class _Stat(NamedTuple):
    """The fields of ``/proc/<pid>/stat`` that matter here (proc_pid_stat(5))."""

    state: str
    threads: int
    start: str


def owner_id() -> str:
    """Name this process so that any other process can tell whether it is still there.

    The answer is the same for as long as the process lives and differs after ``fork()``. A caller
    that needs several owners in one process appends ``#`` and a suffix.

    Example:
        >>> owner_id()
        'build-7:4211/83822/0a76536c-ca7d-4eca-9594-dd03c3af87dd/4026531836/5b1c9a0de2f4'
    """
    me = _current()
    return f"{me.host}:{me.pid}/{me.start}/{me.boot}/{me.namespace}/{me.machine}"


def short(owner: str) -> str:
    """Return the part of an owner that people read, ``host:pid``; a foreign name is left whole."""
    return owner.partition("/")[0] if _OWNER.fullmatch(owner) else owner


def is_dead(owner: str) -> bool:
    """Tell whether the process that *owner* names has certainly ended.

    Certain means: it was of this boot and this pid namespace and its pid is gone, is a zombie or
    belongs to a later process; or it was of this machine, outside any container, before the
    machine was last started. Anything else, a malformed name included, counts as alive.

    Args:
        owner: What :func:`owner_id` returned there, with or without a ``#`` suffix.
    """
    found = _OWNER.fullmatch(owner)
    if found is None:
        return False
    it, me = _Process(**found.groupdict()), _current()
    if _UNKNOWN in (it.boot, me.boot):
        return it.boot == me.boot and it.host == me.host and _is_gone(int(it.pid), it.start)
    if it.boot == me.boot:
        return (
            it.namespace == me.namespace != _UNKNOWN
            and it.start != _UNKNOWN
            and _is_gone(int(it.pid), it.start)
        )
    # Containers on different machines may share a host name and a machine id; machines do not.
    return (
        it.host == me.host
        and it.machine == me.machine != _UNKNOWN
        and it.namespace == me.namespace == _INITIAL_PID_NAMESPACE
    )


def _current() -> _Process:
    host = re.sub(r"[^\w.-]", "_", platform.node(), flags=re.ASCII) or "localhost"
    return _Process(host, *_process(os.getpid()))


@lru_cache(maxsize=2)
def _process(pid: int) -> tuple[str, str, str, str, str]:
    """Return all but the host of this process, whose id is *pid*; a forked child has another id."""
    stat = _stat(pid)
    start = stat.start if stat else _UNKNOWN
    boot = _text(Path("/proc/sys/kernel/random/boot_id")) or _UNKNOWN
    return str(pid), start, boot, _pid_namespace(), _machine()


def _is_gone(pid: int, start: str) -> bool:
    if sys.platform == "win32":
        return False  # signal 0 is CTRL_C_EVENT there: asking would interrupt the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # somebody else's process: it is there, but it may be a later one of this pid
    stat = _stat(pid)
    if stat is None or start == _UNKNOWN:
        return False
    # A zombie leader with other threads left is a process whose first thread has ended early.
    return stat.start != start or (stat.state in "ZX" and stat.threads <= 1)


def _stat(pid: int) -> _Stat | None:
    # The second field is the program's name in parentheses, which may hold spaces and parentheses.
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    try:
        return _Stat(state=fields[0], threads=int(fields[17]), start=fields[19])
    except (IndexError, ValueError):
        return None


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return _UNKNOWN


def _machine() -> str:
    # machine-id(5) asks that the id itself is not shown around: a keyed hash of it is.
    text = _text(Path("/etc/machine-id"))
    if not text:
        return _UNKNOWN
    return hashlib.blake2b(text.encode(), digest_size=6, person=b"durably").hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
