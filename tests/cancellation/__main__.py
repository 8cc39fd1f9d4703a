"""Cancels runs at random moments: ``python -m tests.cancellation --seeds 10000 [--first 0]``."""

from __future__ import annotations

import argparse
import tempfile
import time
import traceback
from pathlib import Path

from .driver import play


def main() -> None:
    """Play the seeds, and exit with 1 if one of them failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--stop", type=int, default=10, help="stop after so many failures")
    args = parser.parse_args()
    failed: list[int] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cancellation-") as folder:
        for seed in range(args.first, args.first + args.seeds):
            if seed % 1_000 == 0:
                print(f"seed {seed} after {time.monotonic() - began:.0f} s", flush=True)
            try:
                play(seed, Path(folder))
            except Exception:
                failed.append(seed)
                traceback.print_exc()
                if len(failed) >= args.stop:
                    break
    print(f"{args.seeds} seeds in {time.monotonic() - began:.0f} s, failed: {failed or 'none'}")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
