"""A program's course: plain or durable, killed at a step, answered, continued; and the judgement.

The right value of a course is what an undisturbed plain run prints and does. The only other outcome
that is allowed is a stop that shows what differs, before anything wrong was done.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from durably.testing import ModelServer, Reply, Request

from .scripted import scripted

PROGRAMS = Path(__file__).parent / "programs"
WAITING, STOPPED = 75, 1
_TIMEOUT = 90
_MOST_RUNS = 12
_OFFLINE = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "OPENAI_API_KEY": "any",
    "NO_COLOR": "1",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}

Moment = Literal["after", "before"]
Question = Mapping[str, Any]


@dataclass
class Ending:
    """How the last process of a course ended.

    Attributes:
        returncode: Its exit status.
        told: The lines that the program printed as its results.
        effects: What it did, in order.
        stderr: What the last process printed as errors.
        codes: The exit status of each process.
        changed: The questions that were asked whether something is the same.
        last_changed: Whether it waits for such a question in the end.
    """

    returncode: int
    told: list[str]
    effects: list[str]
    stderr: str
    codes: list[int]
    changed: list[Question] = field(default_factory=list)
    last_changed: bool = False


class Course:
    """A folder with a program in it, and the model that it asks.

    Args:
        folder: Empty; the program's files are copied into it.
        files: Their names in :data:`PROGRAMS`; the first is the program unless *command* is given.
        model: What answers; see :func:`scripted`.
        command: What is run, in place of the first file.
    """

    def __init__(
        self,
        folder: Path,
        *files: str,
        model: Callable[[Request], Reply] = scripted,
        command: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        for name in files:
            source = PROGRAMS / name
            if source.is_dir():
                shutil.copytree(source, folder / source.name)
            else:
                shutil.copy(source, folder)
        self._command = [*(command or files[:1])]
        self.server = ModelServer(model)
        self._codes: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def put(self, folder: str, *names: str) -> None:
        """Put letters into a folder of the program's."""
        (self.folder / folder).mkdir(exist_ok=True)
        for name in names:
            (self.folder / folder / name).write_text(f"a letter of {name}", encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Edit one of the program's files."""
        file = self.folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def plain(self, stdin: str = "") -> Ending:
        """Run the program without durably."""
        return self._ended(self._run([sys.executable, *self._command], {}, stdin))

    def durable(
        self,
        *options: str,
        kill: tuple[Moment, int] | None = None,
        answer: Callable[[Question], Any] | None = None,
        edit: Callable[[Course], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Ending:
        """Run ``durably run`` until it ends by itself, and again after each kill and answer.

        Args:
            options: Options of the command.
            kill: When the first process dies: after or before the record of its n-th step.
            answer: Returns the answer to a question; None: nobody answers.
            edit: Edits the program after the first process.
            env: Variables for the first process.
        """
        more: dict[str, str] = dict(env or {})
        if kill is not None:
            more |= {"DURABLY_TEST": "1", f"DURABLY_TEST_KILL_{kill[0].upper()}": str(kill[1])}
        command = [sys.executable, "-m", "durably", "run", *options, *self._command]
        changed: list[Question] = []
        for _ in range(_MOST_RUNS):
            done = self._run(command, more, "")
            more = {}
            if edit is not None:
                edit(self)
                edit = None
            if done.returncode == -signal.SIGKILL:
                continue
            asked = self._questions() if done.returncode == WAITING else []
            new = [one for one in asked if one["name"] == "changed"]
            changed += new
            if not asked or not self._answered(asked, answer):
                return self._ended(done, changed, is_last=bool(new))
        raise AssertionError(f"it has not ended after {_MOST_RUNS} processes: {self._codes}")

    def killed(self) -> bool:
        """Say whether the first process was killed: it had so many steps."""
        return self._codes[0] == -signal.SIGKILL

    def newest_run(self) -> str:
        """Return the id of the newest run."""
        return str(self._json("runs")["runs"][0]["run"])

    def _json(self, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "durably", *arguments, "--json"]
        done = self._run(command, {}, "", is_program=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _answered(
        self, asked: Sequence[Question], answer: Callable[[Question], Any] | None
    ) -> bool:
        for one in asked:
            said = "other" if one["name"] == "changed" else answer(one) if answer else None
            if said is None:
                return False
            verb = said if isinstance(said, list) else ["respond", one["id"], said]
            done = self._run([sys.executable, "-m", "durably", *verb], {}, "", is_program=False)
            assert done.returncode == 0, done.stderr
        return True

    def _questions(self) -> list[Question]:
        found: list[Question] = self._json("approvals")["questions"]
        return found

    def _run(
        self,
        command: Sequence[str],
        more: Mapping[str, str],
        stdin: str,
        *,
        is_program: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        kept = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "TMPDIR")
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={
                **{name: os.environ[name] for name in kept if name in os.environ},
                **_OFFLINE,
                "HOME": str(self.folder / "home"),
                "CREWAI_STORAGE_DIR": str(self.folder / "home"),
                "OPENAI_BASE_URL": self.server.url,
                **more,
            },
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if is_program:
            self._codes.append(done.returncode)
        return done

    def _ended(
        self,
        done: subprocess.CompletedProcess[str],
        changed: Sequence[Question] = (),
        *,
        is_last: bool = False,
    ) -> Ending:
        told = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
        file = self.folder / "effects.txt"
        effects = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return Ending(done.returncode, told, effects, done.stderr, self._codes, [*changed], is_last)


def judged(
    ending: Ending,
    *,
    told: Sequence[str] | Callable[[list[str]], bool],
    effects: Sequence[str],
    lost: Sequence[str] = (),
    may_repeat: bool = False,
) -> None:
    """Judge a course: the right value, or a stop that shows what differs.

    Args:
        ending: The course's end.
        told: What an undisturbed plain run prints, or what says whether it is right.
        effects: What it does, in any order.
        lost: Effects of an earlier version of the program, which may have been done too.
        may_repeat: Whether one effect's record was lost, which may be done again if that is told.

    Raises:
        AssertionError: The value is wrong, or it stopped without showing why, or too late.
    """
    done, wanted = Counter(ending.effects), Counter(effects)
    extra = done - wanted
    for name in extra.keys() & {*lost}:
        del extra[name]
    assert sum(extra.values()) <= may_repeat, (ending.effects, ending.codes, ending.stderr)
    if extra:
        assert "again" in ending.stderr or ending.changed, ending.stderr
        assert not extra.keys() - wanted.keys(), (ending.effects, ending.codes)
    if ending.returncode == WAITING and ending.last_changed:
        return
    if ending.returncode == STOPPED and "the journal" in ending.stderr and "→" in ending.stderr:
        return
    assert ending.returncode == 0, (ending.codes, ending.told, ending.stderr)
    assert not wanted - done, (ending.effects, ending.codes, ending.told)
    is_right = told(ending.told) if callable(told) else ending.told == [*told]
    assert is_right, (ending.told, ending.codes, ending.stderr)
