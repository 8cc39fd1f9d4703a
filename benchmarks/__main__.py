"""The command line: ``python -m benchmarks [--quick] [--only SCENARIO] [--peers LIBRARY] …``."""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import driver, postgres, report
from .results import Results
from .scenarios.catalogue import BY_NAME
from .selection import chosen
from .subjects import BY_NAME as SUBJECTS

HOME = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite as the command line says; return the exit status."""
    options = _parser().parse_args(arguments)
    if options.report:
        results = Results.from_json(json.loads(options.report.read_text(encoding="utf-8")))
        _tell(results, options.publish)
        return 0
    HOME.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped
    results = Results(about=_about())
    name = time.strftime("%Y-%m-%d-%H%M%S")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=HOME)))
        jobs = chosen(options)
        needs_server = any(SUBJECTS[job[0].subject].storage == "postgres" for job in jobs)
        url = stack.enter_context(postgres.server(folder)) if needs_server else ""
        rounds = options.rounds or (1 if options.quick else 5)
        plan = driver.Plan(jobs, rounds, options.limit, folder, url)
        try:
            driver.run(plan, results, lambda line: print(line, file=sys.stderr, flush=True))
        finally:  # what was measured before an interruption is kept
            path = HOME / f"{name}.json"
            path.write_text(json.dumps(results.to_json(), indent=1), encoding="utf-8")
    _tell(results, options.publish)
    print(path)
    return 0


def _tell(results: Results, folder: Path | None) -> None:
    """Print the tables; write them with charts into *folder* if there is one."""
    print(report.tables(results))
    if folder is not None:
        from .charts import draw

        folder.mkdir(parents=True, exist_ok=True)
        drawn = draw(results, folder)
        page = folder / "results.md"
        page.write_text(report.page(results, drawn), encoding="utf-8")
        print(page, *drawn, sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*BY_NAME], help="one scenario; again")
    parser.add_argument(
        "--quick", action="store_true", help="only what the targets compare, and one round"
    )
    parser.add_argument(
        "--peers", help="comma-separated words: only subjects whose name holds one of them"
    )
    parser.add_argument("--sizes", help="comma-separated sizes instead of the scenario's own")
    parser.add_argument("--rounds", type=int, help="how often to measure everything (5)")
    parser.add_argument("--limit", type=float, default=240.0, help="seconds for one process (240)")
    parser.add_argument(
        "--publish", type=Path, metavar="FOLDER", help="also write a page with charts there"
    )
    parser.add_argument("--report", type=Path, metavar="JSON", help="print an earlier run's tables")
    return parser


def _about() -> dict[str, Any]:
    """Return what the figures depend on: machine, load and versions."""
    names = ("durably", "langgraph", "dbos", "crewai", "autogen-agentchat", "psycopg")
    versions: dict[str, str] = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "machine": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "versions": versions,
    }


if __name__ == "__main__":
    raise SystemExit(main())
