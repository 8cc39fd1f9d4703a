"""Starts a Celery worker with two processes, and hands three jobs to it."""

import subprocess
import sys
from pathlib import Path

from celery_jobs import run

LIMIT = 75
OPTIONS = ["-c", "2", "-P", "prefork", "-l", "warning", "--without-gossip", "--without-mingle"]

with Path("worker.log").open("wb") as log:
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_jobs", "worker", *OPTIONS],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        jobs = [run.delay(who) for who in ("ann", "bob", "cyd")]
        print("RESULT", [job.get(timeout=LIMIT) for job in jobs])
    finally:
        worker.terminate()
        worker.wait(10)
