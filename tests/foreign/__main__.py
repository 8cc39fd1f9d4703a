"""The command: ``python -m tests.foreign crewai ../crewAI`` runs CrewAI's own suite both ways."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .comparison import compare
from .suites import SUITES


def main() -> int:
    """Compare, print, and exit with 1 if anything is lost, or if nothing was compared."""
    parser = argparse.ArgumentParser(prog="python -m tests.foreign", description=__doc__)
    parser.add_argument("suite", choices=sorted(SUITES))
    parser.add_argument("checkout", type=Path, help="the framework's repository")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has it all")
    parser.add_argument("--only", nargs="*", default=(), help="paths or node ids, not all")
    given, more = parser.parse_known_args()
    compared = compare(SUITES[given.suite], given.checkout, given.python, given.only, more)
    print(compared.report())
    return 0 if compared.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
