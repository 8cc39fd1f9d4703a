"""Which files make up a program, and which changes between two processes edit it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durably.engine import Call, Scope, Sources, current
from durably.engine.data_files import SUFFIXES, is_project_data, watch
from durably.engine.source_files import OWN
from durably.journal.records import Program


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the program, which is the working directory.

    The tests that ran in this process before have read files too: they are another program's.
    """
    made = tmp_path / "project"
    made.mkdir()
    monkeypatch.chdir(made)
    for heard in ("read", "written", "recorded"):
        monkeypatch.setattr(watch, heard, type(getattr(watch, heard))())
    return made


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


def step(name: str = "send") -> None:
    here().step(Call("tool", name, name), lambda: None)


def recorded(runs: Any) -> dict[str, bytes]:
    """The data files in the journal, by name."""
    files: dict[str, bytes] = {}
    for record in runs.records(Program):
        files.update({path: sha for path, sha in record.files.items() if path.endswith(SUFFIXES)})
    return files


def edited(runs: Any, first: Callable[[], None], between: Callable[[], None]) -> bool:
    """Say whether the program counts as edited after *between*, begun by a process that died."""
    found: list[bool] = []

    def begun() -> None:
        first()
        raise KeyboardInterrupt

    runs.drive(begun)
    between()
    runs.drive(lambda: found.append(here().run.program_changed()))
    return found[0]


def read_then_step(name: str = "tasks.yaml") -> None:
    Path(name).read_text(encoding="utf-8")
    step()


def outside(code: str) -> None:
    """Change files as somebody else would: in a process of their own."""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def foreign_file(name: str, text: str) -> None:
    outside(f"open({name!r}, 'w').write({text!r})")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_edit_of_a_file_that_was_read_is_noticed(runs: Any, folder: Path, suffix: str) -> None:
    """A data file that was read before the first step is a part of the program."""
    (folder / "config").mkdir()
    name = f"config/tasks{suffix}"
    foreign_file(name, "one")
    assert edited(runs, lambda: read_then_step(name), lambda: foreign_file(name, "two"))
    assert list(recorded(runs)) == [name]


def test_an_unchanged_file_edits_nothing(runs: Any) -> None:
    """What was written again with the same content is the same."""
    foreign_file("tasks.yaml", "one")
    assert not edited(runs, read_then_step, lambda: foreign_file("tasks.yaml", "one"))


def test_what_is_read_after_the_first_step_is_no_part(runs: Any) -> None:
    """A program works on such a file."""

    def first() -> None:
        step()
        read_then_step()

    foreign_file("tasks.yaml", "one")
    assert not edited(runs, first, lambda: foreign_file("tasks.yaml", "two"))


def test_what_a_step_reads_is_no_part(runs: Any) -> None:
    """A tool's own input may change, the first tool's too."""

    def first() -> None:
        here().step(Call("tool", "read", 1), lambda: Path("tasks.yaml").read_text("utf-8"))

    foreign_file("tasks.yaml", "one")
    assert not edited(runs, first, lambda: foreign_file("tasks.yaml", "two"))


def test_a_continuation_adds_no_files(runs: Any) -> None:
    """A process that finds steps in the journal reads what earlier ones left behind."""

    def first() -> None:
        step()
        raise KeyboardInterrupt

    runs.drive(first)
    foreign_file("state.json", "{}")
    runs.drive(lambda: read_then_step("state.json"))
    assert recorded(runs) == {}


@pytest.mark.parametrize("mode", ["w", "a", "r+"])
def test_a_file_that_the_program_writes_is_its_own(runs: Any, mode: str) -> None:
    """It is recorded as such before it is written, so that a kill right after loses nothing."""
    seen: list[dict[str, bytes]] = []

    def first() -> None:
        read_then_step("state.json")
        with Path("state.json").open(mode, encoding="utf-8") as file:
            seen.append(recorded(runs))
            file.write("[1]")

    foreign_file("state.json", "[]")
    assert not edited(runs, first, lambda: None)
    assert seen == [{"state.json": OWN}]
    foreign_file("state.json", "[1, 2]")
    assert here_changed(runs) is False


def here_changed(runs: Any) -> bool:
    found: list[bool] = []
    runs.drive(lambda: found.append(here().run.program_changed()))
    return found[0]


def test_a_file_written_before_it_is_read_is_the_programs_own(runs: Any) -> None:
    """What the program made for itself is no source."""

    def first() -> None:
        Path("made.yaml").write_text("one", encoding="utf-8")
        read_then_step("made.yaml")

    assert not edited(runs, first, lambda: foreign_file("made.yaml", "two"))


def test_a_renamed_file_is_the_programs_own_at_both_places(runs: Any, folder: Path) -> None:
    """Files that are written beside their place and moved there are written."""

    def first() -> None:
        read_then_step("state.json")
        (folder / "new.tmp").write_text("[1]", encoding="utf-8")
        Path("new.tmp").replace("state.json")

    foreign_file("state.json", "[]")
    assert not edited(runs, first, lambda: foreign_file("state.json", "[2]"))
    assert recorded(runs) == {"state.json": OWN}


@pytest.mark.parametrize("consume", [Path.unlink, lambda file: file.rename(f"done-{file.name}")])
def test_a_consumed_letter_edits_nothing(runs: Any, consume: Callable[[Path], object]) -> None:
    """An inbox read before the first step is worked off."""

    def first() -> None:
        letters = sorted(Path().glob("*.txt"))
        assert [letter.read_text(encoding="utf-8") for letter in letters] == ["to ann", "to bob"]
        step()
        consume(letters[0])

    foreign_file("ann.txt", "to ann")
    foreign_file("bob.txt", "to bob")
    assert not edited(runs, first, lambda: None)
    assert recorded(runs).keys() >= {"bob.txt"}


def test_a_file_that_is_gone_was_consumed(runs: Any) -> None:
    """A program beside this one may have taken it."""
    foreign_file("ann.txt", "to ann")
    assert not edited(
        runs, lambda: read_then_step("ann.txt"), lambda: outside("import os; os.unlink('ann.txt')")
    )


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "durably.toml",
        ".venv/one.json",
        ".cache.json",
        "shop.egg-info/top.txt",
        "lib/site-packages/one.txt",
    ],
)
def test_what_is_no_part_of_a_project(folder: Path, name: str) -> None:
    """Configuration of durably, hidden files and installed packages."""
    assert not is_project_data(str(folder / name))


def test_what_lies_outside_of_the_project(folder: Path, runs: Any) -> None:
    """A file elsewhere belongs to others."""
    elsewhere = str(folder.parent / "other.yaml")
    foreign_file(elsewhere, "one")
    assert not edited(runs, lambda: read_then_step(elsewhere), lambda: foreign_file(elsewhere, "2"))


def test_a_changed_directory_edits_nothing(runs: Any, folder: Path) -> None:
    """Names in the journal are relative to where the host was made."""
    (folder / "inner").mkdir()
    found: list[bool] = []

    def second() -> None:
        os.chdir("inner")
        found.append(here().run.program_changed())

    def first() -> None:
        read_then_step()
        raise KeyboardInterrupt

    foreign_file("tasks.yaml", "one")
    runs.drive(first)
    runs.drive(second)
    assert found == [False]


def test_files_are_looked_for_when_modules_were_loaded(folder: Path) -> None:
    """As long as nothing was imported, the same mapping is returned."""
    sources = Sources()
    before = sources.files()
    assert sources.files() is before
    (folder / "late_module.py").write_text("", encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        __import__("late_module")
        assert set(sources.files()) - set(before) == {"late_module.py"}
    finally:
        sys.path.remove(str(folder))
        del sys.modules["late_module"]


SCRIPT = """
import durably
DATA
@durably.task
def square(x): return x * x
print("RESULT", [square(x).result() for x in (2, 3, 4)])
"""


def durably(*args: str, kill_after: int = 0) -> subprocess.CompletedProcess[str]:
    more = {"DURABLY_TEST": "1", "DURABLY_TEST_KILL_AFTER": str(kill_after)} if kill_after else {}
    return subprocess.run(
        [sys.executable, "-m", "durably", "run", "--quiet", *args],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", [["calc.py"], ["calc"], ["-m", "shop"], ["-m", "shop.calc"]])
def test_an_edited_script_is_noticed(folder: Path, words: list[str]) -> None:
    """However it was started, with or without a suffix, it is a file of the program."""
    files = {"calc.py": "calc.py", "calc": "calc", "shop": "shop/__main__.py"}
    script = folder / files.get(words[-1], "shop/calc.py")
    script.parent.mkdir(exist_ok=True)
    script.write_text(SCRIPT.replace("DATA", ""), encoding="utf-8")
    assert durably(*words, kill_after=2).returncode != 0
    script.write_text(SCRIPT.replace("DATA", "").replace("2, 3", "9, 3"), encoding="utf-8")
    ended = durably(*words)
    assert ended.stdout == "RESULT [81, 9, 16]\n", ended.stderr


def test_an_edited_data_file_is_noticed(folder: Path) -> None:
    """A script's steps are executed again where the file that they came from was edited."""
    text = SCRIPT.replace("DATA", "import json; numbers = json.load(open('numbers.json'))")
    (folder / "calc.py").write_text(text.replace("(2, 3, 4)", "numbers"), encoding="utf-8")
    (folder / "numbers.json").write_text("[2, 3, 4]", encoding="utf-8")
    assert durably("calc.py", kill_after=2).returncode != 0
    (folder / "numbers.json").write_text("[9, 3, 4]", encoding="utf-8")
    ended = durably("calc.py")
    assert ended.stdout == "RESULT [81, 9, 16]\n", ended.stderr


def test_a_changed_list_of_work_asks(folder: Path) -> None:
    """What a program writes itself is no source: an effect at another's place is asked about."""
    text = SCRIPT.replace(
        "DATA",
        "import json; numbers = json.load(open('numbers.json'))\nopen('numbers.json', 'a').close()",
    )
    (folder / "calc.py").write_text(text.replace("(2, 3, 4)", "numbers"), encoding="utf-8")
    (folder / "numbers.json").write_text("[2, 3, 4]", encoding="utf-8")
    assert durably("calc.py", kill_after=2).returncode != 0
    (folder / "numbers.json").write_text("[9, 3, 4]", encoding="utf-8")
    assert durably("calc.py").returncode == 75
