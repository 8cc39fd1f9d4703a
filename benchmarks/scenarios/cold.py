"""What an import costs, in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

from ..place import Place
from ..subjects import Subject
from .checks import expect

IMPORTS = {
    "floor": "import asyncio, sqlite3, concurrent.futures, json, hashlib, contextlib, dataclasses",
    "durably": "import durably",
    "langgraph": "import langgraph.func",
    "dbos": "import dbos",
}
"""What a program writes to use a library; the floor is what all of them build on."""

_MEASURED = """
import resource, sys, time
before, began, used = len(sys.modules), time.perf_counter(), time.process_time()
{line}
wall, cpu = time.perf_counter() - began, time.process_time() - used
size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
heavy = ["pydantic", "langchain_core", "crewai", "autogen_core", "langgraph", "psycopg"]
found = [wall, cpu, size, len(sys.modules) - before, [one for one in heavy if one in sys.modules]]
import json
print(json.dumps(found))
"""


def cold(subject: Subject, place: Place, times: int) -> dict[str, float]:
    """Measure an import *times* times after one that warms the disk: the fastest of them."""
    found = [_import(subject.library, place) for _ in range(times + 1)][1:]
    wall, cpu, size, modules, heavy = min(found)
    if subject.library == "durably":
        expect(heavy, [], "heavy modules at import")
    return {"ms": wall * 1e3, "cpu_ms": cpu * 1e3, "rss_mb": size / 1024, "modules": modules}


def _import(library: str, place: Place) -> tuple[float, float, float, float, list[str]]:
    code = _MEASURED.format(line=IMPORTS[library])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=place.folder
    )
    wall, cpu, size, modules, heavy = json.loads(done.stdout)
    return wall, cpu, size, modules, heavy
