"""Programs as Python starts them: a script, a module with ``-m``, code with ``-c``."""

from __future__ import annotations

import builtins
import importlib.util
import io
import os
import shlex
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import thread as pool_module
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Protocol

from ...errors import LaunchError


class Program(Protocol):
    """A program that :func:`launch` runs."""

    @property
    def args(self) -> tuple[str, ...]:
        """The program's own arguments."""
        ...

    @property
    def name(self) -> str:
        """The program's name in messages to people."""
        ...

    @property
    def entry(self) -> str:
        """The entry that the program's runs are recorded under."""
        ...

    @property
    def command(self) -> dict[str, Any]:
        """The facts that make two starts the same command."""
        ...

    def execute(self) -> None:
        """Execute it as ``__main__`` in this process; wait for the threads that it started."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script: ``python script.py``.

    Attributes:
        path: The file, as it was named.
        args: Its own arguments.
        code: Its compiled source.
    """

    path: str
    args: tuple[str, ...]
    code: CodeType

    @property
    def name(self) -> str:
        """The file, as it was named."""
        return self.path

    @property
    def entry(self) -> str:
        """What its runs are called."""
        return f"script:{Path(self.path).name}"

    @property
    def command(self) -> dict[str, Any]:
        """What makes two starts the same command."""
        return {"script": str(Path(self.path).resolve()), "args": list(self.args)}

    def execute(self) -> None:
        """Execute it as ``python script.py`` does."""
        file = self.code.co_filename
        main: dict[str, Any] = {"__file__": file, "__cached__": None}
        main["__loader__"] = SourceFileLoader("__main__", file)
        folder = str(Path(self.path).resolve().parent)
        _execute(self.code, main, [self.path, *self.args], folder)


@dataclass(frozen=True, slots=True)
class Module:
    """A module: ``python -m package.module``; or a function in one, as installed commands call it.

    Attributes:
        name: Its name, or ``package.module:function``.
        args: Its own arguments.
    """

    name: str
    args: tuple[str, ...]

    @property
    def entry(self) -> str:
        """What its runs are called."""
        return f"module:{self.name}"

    @property
    def command(self) -> dict[str, Any]:
        """What makes two starts the same command; the directory says where it is looked for."""
        return {"script": f"-m {self.name}", "args": list(self.args), "cwd": str(Path.cwd())}

    def execute(self) -> None:
        """Execute it as ``python -m`` does: the packages around it are imported first.

        A function is called as by the script that an installer writes for an entry point.
        """
        with _started(["-m", *self.args], str(Path.cwd())):
            module, _, function = self.name.partition(":")
            if function:
                call = f"import sys; from {module} import {function}; sys.exit({function}())"
                _execute(_compiled(call, self.name, self.name), {}, [*sys.argv], sys.path[0])
                return
            spec = _spec_to_run(self.name)
            assert spec.loader is not None
            code = spec.loader.get_code(spec.name)  # type: ignore[attr-defined]
            main = {
                "__file__": spec.origin,
                "__cached__": spec.cached,
                "__loader__": spec.loader,
                "__package__": spec.parent,
                "__spec__": spec,
            }
            _execute(code, main, [str(spec.origin), *self.args], sys.path[0])


@dataclass(frozen=True, slots=True)
class Code:
    """A program given on the command line: ``python -c code``.

    Attributes:
        args: Its own arguments.
        code: The compiled source.
        source: The source.
    """

    args: tuple[str, ...]
    code: CodeType
    source: str

    @property
    def name(self) -> str:
        """It, for people."""
        return "-c"

    @property
    def entry(self) -> str:
        """What its runs are called."""
        return "code:-c"

    @property
    def command(self) -> dict[str, Any]:
        """What makes two starts the same command."""
        return {"script": "-c", "source": self.source, "args": list(self.args)}

    def execute(self) -> None:
        """Execute it as ``python -c`` does."""
        _execute(self.code, {}, ["-c", *self.args], "")


@dataclass(frozen=True, slots=True)
class Commanded:
    """The program that another command starts, such as ``crewai run``; its runs are that command's.

    Attributes:
        program: The program itself.
        words: The command.
        place: The directory that it was given in.
    """

    program: Program
    words: tuple[str, ...]
    place: str

    @property
    def args(self) -> tuple[str, ...]:
        """What follows the command's name."""
        return self.words[1:]

    @property
    def name(self) -> str:
        """It, for people."""
        return shlex.join(self.words)

    @property
    def entry(self) -> str:
        """What its runs are called."""
        return f"command:{Path(self.words[0]).name}"

    @property
    def command(self) -> dict[str, Any]:
        """What makes two starts the same command."""
        return {"script": self.words[0], "args": list(self.args), "cwd": self.place}

    def execute(self) -> None:
        """Execute the program."""
        self.program.execute()


def load_script(path: str, args: Sequence[str]) -> Script:
    """Read and compile a script.

    Raises:
        LaunchError: It is not there, cannot be read, or is not Python.
    """
    try:
        with io.open_code(str(Path(path).resolve())) as file:
            source = file.read()
    except FileNotFoundError as error:
        raise LaunchError(f"there is no script {path!r} in {Path.cwd()}") from error
    except IsADirectoryError as error:
        raise LaunchError(f"{path!r} is a directory; name the script in it") from error
    except OSError as error:
        raise LaunchError(f"script {path!r} cannot be read: {error.strerror}") from error
    return Script(path, tuple(args), _compiled(source, path, os.path.abspath(path)))  # noqa: PTH100


def load_module(name: str, args: Sequence[str]) -> Module:
    """Find the top-level package of a module; what lies in it is found when it is executed.

    Raises:
        LaunchError: There is none, or what is to be called is no name.
    """
    if ":" in name and not name.partition(":")[2].isidentifier():
        raise LaunchError(f"{name!r} does not name a function: package.module:function")
    top = name.partition(":")[0].partition(".")[0]
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.util.find_spec(top) if top else None
    except ValueError:  # a module that was made without a spec
        found = None
    finally:
        sys.path.pop(0)
    if found is None:
        raise LaunchError(
            f"there is no module {top!r}, neither in {Path.cwd()} nor installed; "
            "change to the directory that holds it, or set PYTHONPATH"
        )
    return Module(name, tuple(args))


def load_code(source: str, args: Sequence[str]) -> Code:
    """Compile a program given on the command line.

    Raises:
        LaunchError: It is not Python.
    """
    return Code(tuple(args), _compiled(source, "-c", "<string>"), source)


def _compiled(source: str | bytes, name: str, file: str) -> CodeType:
    try:
        return compile(source, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise LaunchError(f"{name!r} is not Python{where}: {error.msg}") from error
    except ValueError as error:
        raise LaunchError(f"{name!r} is not Python: {error}") from error


def _spec_to_run(name: str) -> ModuleSpec:
    """Return the spec of a module, or of the ``__main__`` of a package.

    Raises:
        ImportError: It cannot be run, in Python's words.
    """
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    if spec is None or not hasattr(spec.loader, "get_code"):
        raise ModuleNotFoundError(f"No module named {name}", name=name)
    return spec


def _execute(code: CodeType, main: Mapping[str, Any], argv: list[str], folder: str) -> None:
    module = ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, __annotations__={}, **main)
    saved = sys.modules["__main__"]
    with _started(argv, folder):
        sys.modules["__main__"] = module
        try:
            exec(code, module.__dict__)  # noqa: S102 - running the user's program is the purpose
            _join_threads()
        finally:
            sys.modules["__main__"] = saved


class _started:  # noqa: N801 - reads as what happened
    """A block in which ``sys.argv`` and ``sys.path`` are those of a program."""

    def __init__(self, argv: list[str], folder: str) -> None:
        self._argv, self._folder = argv, folder

    def __enter__(self) -> None:
        self._saved = sys.argv[:], sys.path[:]
        sys.argv[:] = self._argv
        if sys.flags.safe_path:
            sys.path.insert(0, self._folder)
        else:
            sys.path[0] = self._folder

    def __exit__(self, *_: object) -> None:
        sys.argv[:], sys.path[:] = self._saved


def _join_threads() -> None:
    """Wait for the program's own threads: what they do belongs to the run."""
    workers = getattr(pool_module, "_threads_queues", {})
    for thread in threading.enumerate():
        if thread.daemon or thread is threading.current_thread() or thread in workers:
            continue
        if thread is not threading.main_thread():
            thread.join()
