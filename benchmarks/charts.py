"""Charts for the documentation, drawn from the results of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .results import Cell, Results
from .scenarios.catalogue import LOOSE

COLOURS = {"durably": "#0b7a75", "langgraph": "#c8553d", "dbos": "#7768ae", "floor": "#8d99ae"}
DOTS = 120
"""Per inch."""

STYLES = {"memory": ":", "sqlite": "-", "postgres": "--", "none": ":"}


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw what the results allow as PNG files in *folder*; return them."""
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [
        _bars(results, "steps", 1000, "us", "One step after another, µs a step"),
        _lines(results, "steps", "us", "Cost of a step by length of the run, µs"),
        _lines(results, "resume", "ms", "Continuing a run after so many steps, ms"),
        _bars(results, "many", 64, "per_s", "1,000 runs of ten steps, 64 threads: steps a second"),
        _bars(results, "chat", 200, "disk_ratio", "A chat of 200 turns: bytes on disk / its text"),
    ]
    names = ("steps", "lengths", "resume", "throughput", "chat")
    return [
        _saved(figure, folder / f"{name}.png")
        for name, figure in zip(names, drawn, strict=True)
        if figure is not None
    ]


def _bars(results: Results, scenario: str, size: int, figure: str, title: str) -> Any:
    """Draw one bar for each subject, the best one on top."""
    found = {
        cell.subject: value
        for cell in results.rounds
        if cell.scenario == scenario and cell.size == size and (cell.subject != "floor none")
        if (value := results.median(cell, figure))
    }
    if len(found) < 2:
        return None
    is_more_better = figure == "per_s"
    names = sorted(found, key=lambda name: found[name], reverse=not is_more_better)
    picture, axes = _axes(title, height=0.6 + 0.3 * len(names))
    bars = axes.barh(names, [found[name] for name in names], color=_colours(names))
    axes.set_xscale("log")
    axes.bar_label(bars, [_label(found[name]) for name in names], padding=3)
    axes.set_xlabel("logarithmic")
    axes.margins(x=0.12)
    return picture


def _lines(results: Results, scenario: str, figure: str, title: str) -> Any:
    """Draw a line for each subject over the sizes, both on logarithmic scales."""
    subjects = dict.fromkeys(cell.subject for cell in results.rounds if cell.scenario == scenario)
    lines = {name: _points(results, scenario, name, figure) for name in subjects}
    lines = {
        name: points
        for name, points in lines.items()
        if len(points) > 1 and name not in LOOSE and not name.startswith("floor")
    }
    if not lines:
        return None
    picture, axes = _axes(title, height=4.4)
    for name, points in lines.items():
        library, storage, *mode = name.split()
        alpha = 0.45 if mode and mode != ["sync"] else 1
        style = STYLES[storage]
        axes.plot(
            *zip(*points, strict=True), style, color=COLOURS[library], alpha=alpha, label=name
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("steps")
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return picture


def _points(results: Results, scenario: str, subject: str, figure: str) -> list[tuple[int, float]]:
    sizes = sorted(
        cell.size for cell in results.rounds if (cell.scenario, cell.subject) == (scenario, subject)
    )
    found = [(size, results.median(Cell(scenario, subject, size), figure)) for size in sizes]
    return [(size, value) for size, value in found if value]


def _axes(title: str, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(8, height), layout="constrained")
    axes = picture.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    return picture, axes


def _colours(names: Sequence[str]) -> list[str]:
    return [COLOURS[name.split()[0]] for name in names]


def _label(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _saved(picture: Any, path: Path) -> Path:
    picture.savefig(path, dpi=DOTS, metadata={"Software": None})  # equal for equal results
    return path
