"""A crew that is wrapped at module level, in the forked processes of a Celery worker."""

from __future__ import annotations

from collections.abc import Callable

from .course import Course, judged


def test_jobs_are_done_once_though_a_process_of_the_worker_dies(
    course: Callable[..., Course],
) -> None:
    """Each process opens the journal itself; the job that is delivered again goes on."""
    office = course("celery_client.py", "celery_jobs.py")
    ending = office.plain()
    assert (office.folder / "died").exists(), (office.folder / "worker.log").read_text()
    judged(
        ending,
        told=["RESULT ['Told ann.', 'Told bob.', 'Told cyd.']"],
        effects=["mail ann", "mail bob", "mail cyd"],
    )
    assert office.server.count() == 9
