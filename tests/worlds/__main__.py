"""Judges the replay rule on many seeds: ``python -m tests.worlds --seeds 10000``."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from .campaign import Counts, courses, run_seeds
from .outlook import quick_paths
from .report import course_told, told

_PORTION = 50


def main() -> int:
    """Run the seeds, print what came of them; return 1 if one is wrong."""
    options = _parser().parse_args()
    with quick_paths():
        if options.seed is not None:
            return _one(options.seed, options.kills, forked=options.forked)
        began = time.monotonic()
        counts = _many(options)
    print(told(counts, time.monotonic() - began, options))
    return 1 if counts.of("wrong") or counts.of("needless") else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.worlds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds (2000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--kills", type=int, default=3, help="series of deaths for each seed (3)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the seeds (1)")
    parser.add_argument("--forked", action="store_true", help="each process a real one; slower")
    parser.add_argument("--seed", type=int, help="tell all about one seed")
    parser.add_argument("--show", type=int, default=10, help="how many bad seeds are told (10)")
    return parser


def _one(seed: int, kills: int, *, forked: bool) -> int:
    found = [*courses(seed, kills, forked=forked)]
    print("\n\n".join(map(course_told, found)))
    return 1 if any(one.verdict in ("wrong", "needless") for one in found) else 0


def _many(options: argparse.Namespace) -> Counts:
    seeds = range(options.first, options.first + options.seeds)
    if options.jobs == 1:
        return run_seeds(seeds, options.kills, forked=options.forked)
    portions = [seeds[at : at + _PORTION] for at in range(0, len(seeds), _PORTION)]
    whole = Counts()
    with ProcessPoolExecutor(options.jobs) as pool:
        run = partial(run_seeds, kills=options.kills, forked=options.forked)
        for part in pool.map(run, portions):
            whole.take(part)
    return whole


if __name__ == "__main__":
    sys.exit(main())
