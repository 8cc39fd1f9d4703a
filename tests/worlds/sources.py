"""The program's source: a real module of the project that may be edited between two processes."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from .program import Program

_numbers = itertools.count()


class Source:
    """A module that stands for an edited program's source; none for the others.

    Args:
        folder: Where its file is.
        program: The program.
    """

    def __init__(self, folder: Path, program: Program) -> None:
        self._is_edited = program.is_edited
        self._name = f"source_of_world_{next(_numbers)}"
        self._file = folder / f"{self._name}.py"

    def begin(self, process: int) -> int:
        """Load the source as a process finds it; return its version."""
        if not self._is_edited:
            return 1
        version = 1 if process == 0 else 2
        self._file.write_text(f"VERSION = {version}\n", encoding="utf-8")
        spec = importlib.util.spec_from_file_location(self._name, self._file)
        assert spec is not None
        sys.modules[self._name] = importlib.util.module_from_spec(spec)
        return version

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.modules.pop(self._name, None)
