"""Owners and whether their processes are dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from durably.journal.leases import process_identity as _liveness
from durably.journal.leases.process_identity import is_dead, owner_id, short

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ASK = (
    "from durably.journal.leases.process_identity import owner_id; "
    "print(owner_id(), flush=True); input()"
)


def changed(**fields: str) -> str:
    """This process's owner string with some fields replaced."""
    me = _liveness._current()._replace(**fields)
    return f"{me.host}:{me.pid}/{me.start}/{me.boot}/{me.namespace}/{me.machine}"


def ended_process() -> str:
    """The owner string of a process that has ended and was reaped."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK], input="\n", capture_output=True, text=True, check=True
    )
    return asked.stdout.strip()


def test_owner_is_stable():
    """A process has one name for as long as it lives."""
    assert owner_id() == owner_id()
    assert short(owner_id()).endswith(f":{os.getpid()}")


def test_this_process_is_alive():
    """A process never takes itself for dead, with or without a suffix."""
    assert not is_dead(owner_id())
    assert not is_dead(owner_id() + "#7")


def test_other_living_process_is_alive_until_it_is_killed():
    """Another process is alive while it runs and dead once it was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        owner = process.stdout.readline().strip()
        assert not is_dead(owner)
        process.send_signal(signal.SIGKILL)
    assert is_dead(owner)
    assert is_dead(owner + "#run/1:2")


@linux
def test_unreaped_process_is_dead():
    """A killed process whose parent has not waited for it yet is dead all the same."""
    with subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        owner = process.stdout.readline().strip()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(owner)


@linux
def test_later_process_of_the_same_pid():
    """A pid that is in use again does not keep its earlier process alive."""
    assert is_dead(changed(start="1"))


@linux
def test_child_has_its_own_name():
    """After fork() the child is named by its own pid and the parent counts as alive."""
    parent = owner_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, f"{owner_id()} {is_dead(parent)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    owner, parent_dead = os.read(reading, 1000).decode().split()
    os.close(reading)
    os.close(writing)
    assert short(owner).endswith(f":{child}")
    assert parent_dead == "False"
    assert is_dead(owner)


@linux
def test_process_of_another_pid_namespace_is_unknown():
    """A pid of another container says nothing about the processes seen from here."""
    me = _liveness._current()
    dead = ended_process()
    assert is_dead(dead)
    assert not is_dead(dead.replace(f"/{me.namespace}/", "/4026539999/"))
    assert not is_dead(dead.replace(f"/{me.namespace}/", "/-/"))


@linux
@pytest.mark.parametrize("field", ["start", "boot"])
def test_what_is_not_known_is_not_dead(field: str):
    """Without a start time or boot id of the owner a pid of this host says too little."""
    assert not is_dead(changed(**{"pid": "999999999", field: "-"}))


BEFORE = "00000000-1111-2222-3333-444444444444"


@linux
@pytest.mark.parametrize(
    ("here", "owner", "dead"),
    [
        ({}, {}, True),
        ({}, {"host": "elsewhere"}, False),
        ({}, {"machine": "0123456789ab"}, False),
        ({}, {"namespace": "4026539999"}, False),
        ({"namespace": "4026539999"}, {"namespace": "4026539999"}, False),
        ({"machine": "-"}, {"machine": "-"}, False),
    ],
    ids=["same machine", "other host", "other machine", "container", "in one", "no machine id"],
)
def test_earlier_boot(
    monkeypatch: pytest.MonkeyPatch, here: dict[str, str], owner: dict[str, str], *, dead: bool
):
    """A process from before a restart is dead if it surely ran on this very machine."""
    known = {"namespace": _liveness._INITIAL_PID_NAMESPACE, "machine": "ba9876543210"}
    me = _liveness._current()._replace(**known | here)
    monkeypatch.setattr(_liveness, "_current", lambda: me)
    assert is_dead(changed(boot=BEFORE, **owner)) is dead


def test_without_proc(monkeypatch: pytest.MonkeyPatch):
    """Where the system tells only pids, a pid that is gone on this host is dead, no other."""
    gone = _liveness._OWNER.fullmatch(ended_process())["pid"]
    unknown = {"start": "-", "boot": "-", "namespace": "-", "machine": "-"}
    me = _liveness._current()._replace(**unknown)
    monkeypatch.setattr(_liveness, "_current", lambda: me)
    monkeypatch.setattr(_liveness, "_stat", lambda pid: None)
    assert is_dead(changed(pid=gone))
    assert not is_dead(changed(pid=gone, host="elsewhere"))
    assert not is_dead(changed())
    assert not is_dead(changed(pid=gone, boot=BEFORE))


HOSTILE: list[Callable[[str], str]] = [
    lambda me: "",
    lambda me: "#",
    lambda me: "me",
    lambda me: "host:1",
    lambda me: me.replace(":", ":-"),
    lambda me: me.replace(":", ":0"),
    lambda me: me.replace(":", ":99999999999999999999"),
    lambda me: me.replace(":", ":\u0661"),
    lambda me: me + "/more",
    lambda me: "x" * 100_000,
    lambda me: "/".join([me] * 3),
    lambda me: "\0" + me,
    lambda me: me + "\n",
    lambda me: "a:1/../../etc/0/0",
]


@pytest.mark.parametrize("make", HOSTILE)
def test_malformed_owner_is_not_dead(make: Callable[[str], str]):
    """Any string that is not an owner counts as alive and is shown as it is."""
    owner = make(changed(start="1"))
    assert not is_dead(owner)
    assert short(owner) == owner


def test_odd_host_names(monkeypatch: pytest.MonkeyPatch):
    """A host name with separators in it still makes an owner that can be read back."""
    monkeypatch.setattr("platform.node", lambda: "a/b:c#d é")
    assert short(owner_id()) == f"a_b_c_d__:{os.getpid()}"
    monkeypatch.setattr("platform.node", lambda: "")
    assert short(owner_id()) == f"localhost:{os.getpid()}"
