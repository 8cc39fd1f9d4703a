"""One process of measurements: a scenario on a subject, size after size, each a line of JSON.

python -m benchmarks.worker SCENARIO SUBJECT FOLDER POSTGRES SIZE…
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from .place import Place
from .postgres import new_database
from .scenarios.catalogue import BY_NAME
from .subjects import BY_NAME as SUBJECTS


def main() -> None:
    scenario, subject = BY_NAME[sys.argv[1]], SUBJECTS[sys.argv[2]]
    folder, server = Path(sys.argv[3]), sys.argv[4]
    for size in map(int, sys.argv[5:]):
        own = folder / str(size)
        own.mkdir()
        is_on_server = subject.storage == "postgres"
        place = Place(own, new_database(server) if is_on_server else None)
        began = time.monotonic()
        told: dict[str, object]
        try:
            figures = scenario.measure(subject, place, size)
        except NotImplementedError:
            told = {"missing": "not offered"}
        except Exception as error:  # what a library fails with is a finding
            told = {"error": f"{type(error).__name__}: {error}"}
        else:
            told = {"figures": figures}
        print(json.dumps({"size": size, "took": time.monotonic() - began, **told}), flush=True)


if __name__ == "__main__":
    main()
