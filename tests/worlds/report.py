"""What came of seeds, in words."""

from __future__ import annotations

import argparse

from .campaign import Counts, Course

_VERDICTS = ("right", "asked", "wrong", "needless")


def told(counts: Counts, seconds: float, options: argparse.Namespace) -> str:
    """Return the counts by class, the share of needless questions, and the first bad seeds."""
    lines = [f"{counts.seeds} seeds, {sum(counts.verdicts.values())} courses in {seconds:.1f} s"]
    lines.append(f"{'':10}" + "".join(f"{one:>10}" for one in _VERDICTS))
    for kind in ("quiet", "changed", "edited", "open"):
        numbers = [counts.verdicts[kind, one] for one in _VERDICTS]
        lines.append(f"{kind:10}" + "".join(f"{one:>10}" for one in numbers))
    share = 100 * counts.of("needless") / max(1, counts.quiet)
    lines.append(f"needless questions: {counts.of('needless')} of {counts.quiet} ({share:.2f} %)")
    lines.append(f"questions: {counts.questions}; model calls paid again: {counts.extra}")
    seeds = ", ".join(f"{n} {verdict}" for verdict, n in counts.bad_seeds.items()) or "none"
    lines.append(f"bad seeds: {seeds}")
    lines += [line(one) for one in counts.bad[: options.show]]
    if counts.bad:
        forked = " --forked" if options.forked else ""
        seed = counts.bad[0].program.seed
        lines.append(f"all about one: python -m tests.worlds --seed {seed}{forked}")
    return "\n".join(lines)


def line(course: Course) -> str:
    """Return one course in a line."""
    program = course.program
    blocks = ", ".join(type(block).__name__ for block in program.blocks[:-1])
    why = "; ".join(course.wrong[:2]) or f"{course.questions} questions"
    return f"  seed {program.seed} {course.verdict}, deaths {course.deaths}: {blocks}: {why}"


def course_told(course: Course) -> str:
    """Return all about one course: the program, what happened, and the verdict."""
    program = course.program
    lines = [f"seed {program.seed}, deaths {course.deaths or 'none'}"]
    lines.append("a coroutine" if program.is_async else "plain code")
    for block in program.blocks:
        lines.append(f"  {block}" + (" in a lane" if block.tag in program.lanes else ""))
    lines += course.world.diary
    lines.append(f"{course.verdict.upper()}: {'; '.join(course.wrong) or 'nothing is wrong'}")
    return "\n".join(lines)
