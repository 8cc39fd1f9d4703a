"""Tables of what was measured: every scenario, then the targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .results import Cell, Results
from .scenarios.catalogue import SCENARIOS, Scenario
from .subjects import BY_NAME
from .targets import TARGETS


def tables(results: Results) -> str:
    """Return all tables as Markdown."""
    parts = ["## Targets", *_targets(results)]
    for scenario in SCENARIOS:
        rows = list(_rows(scenario, results))
        if rows:
            sizes = _sizes(scenario, results)
            header = ["", *(f"{size:,}" for size in sizes)]
            parts += [f"## {scenario.name}: {scenario.title}", *_table(header, rows)]
    parts += ["## What each subject promises", *_promises(results)]
    return "\n".join(parts) + "\n"


def page(results: Results, charts: Sequence[Path]) -> str:
    """Return a page for the documentation: what was measured where, the charts, the tables."""
    about, rounds = results.about, max(map(len, results.rounds.values()), default=0)
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    where = (
        f"Measured {about['when']} on {about['machine']}, {about['cpus']} CPUs, load "
        f"{about['load']} at the start; Python {about['python']}, SQLite {about['sqlite']}, "
        f"{versions}. Rounds: {rounds}."
    )
    if about["load"] > about["cpus"]:
        where += (
            " The machine was busy with other things: ratios of CPU time are to be trusted more "
            "than ratios of time, and who waited for the disk waited for others' writes."
        )
    pictures = (f"![{path.stem}]({path.name})" for path in charts)
    lines = [
        "# Results of the benchmarks",
        "Written by `python -m benchmarks --publish`; [what they mean](../benchmarks.md).",
        where,
        *pictures,
        tables(results),
    ]
    return "\n\n".join(lines)


def _targets(results: Results) -> list[str]:
    rows: list[list[str]] = []
    measured = {cell.scenario for cell in results.rounds}
    for target in TARGETS:
        if target.ours.scenario not in measured:
            continue
        against = target.against.subject if target.against else ""
        verdict = target.judged(results)
        if verdict is None:
            why = _why(target.ours.of(results), against)
            rows.append([target.work, against, "", "", "", "", why])
            continue
        spread = " to ".join(map(_number, verdict.rounds or ()))
        by_cpu = "" if verdict.by_cpu is None else _number(verdict.by_cpu)
        found = _number(verdict.found)
        rows.append([target.work, against, verdict.bound, found, spread, by_cpu, verdict.said])
    header = ["work", "against", "target", "found", "single rounds", "by CPU time", "verdict"]
    return _table(header, rows)


def _why(ours: float | None, against: str) -> str:
    return "not measured" if ours is None else f"not measured for {against}"


def _sizes(scenario: Scenario, results: Results) -> list[int]:
    cells = [*results.rounds, *results.notes]
    return sorted({cell.size for cell in cells if cell.scenario == scenario.name})


def _rows(scenario: Scenario, results: Results) -> Iterator[list[str]]:
    sizes = _sizes(scenario, results)
    for subject in scenario.subjects:
        cells = [Cell(scenario.name, subject, size) for size in sizes]
        shown = [_shown(cell, scenario.figure, results) for cell in cells]
        if any(shown):
            yield [subject, *shown]


def _shown(cell: Cell, figure: str, results: Results) -> str:
    found = results.median(cell, figure)
    if found is None:
        return results.notes.get(cell, "")[:40].replace("|", "/").replace("\n", " ")
    text = _number(found)
    if figure in {"ms", "us"} and cell.scenario in {"payload", "chat"}:
        disk = results.median(cell, "disk_ratio")
        text += f" (disk {disk:.2f}x)" if disk else ""
    return text


def _number(value: float) -> str:
    if value >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _promises(results: Results) -> list[str]:
    seen = {cell.subject for cell in results.rounds}
    rows = [[name, subject.promise] for name, subject in BY_NAME.items() if name in seen]
    return _table(["subject", "what is on disk when"], rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table whose columns line up."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return ["", line(header), rule, *map(line, rows), ""]
