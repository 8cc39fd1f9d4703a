"""Policies: when a failed attempt is followed by another, and after how long."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from durably import Host, RetryPolicy, TimeoutPolicy, entrypoint, task
from durably.testing import FakeClock
from durably.types import default_retry_on, retry_after, retry_delay


def refused(status, **headers):
    """Return what httpx raises for an answer of *status*."""
    request = httpx.Request("GET", "http://localhost")
    response = httpx.Response(status, request=request, headers=headers)
    return httpx.HTTPStatusError("refused", request=request, response=response)


class SdkError(Exception):
    """What a provider's client raises: it carries the status itself."""

    def __init__(self, status):
        super().__init__(status)
        self.status_code = status


class UnknownError(Exception):
    """An exception that nobody has heard of."""


@pytest.mark.parametrize(
    ("error", "worth"),
    [
        (ConnectionError(), True),
        (TimeoutError(), True),
        (UnknownError(), True),
        (refused(429), True),
        (refused(503), True),
        (refused(404), False),
        (SdkError(500), True),
        (SdkError(400), False),
        (ValueError(), False),
        (KeyError("k"), False),
        (OSError(), False),
    ],
    ids=repr,
)
def test_what_is_worth_another_attempt(error, worth):
    """Lost connections, 429 and 5xx are; refusals and programming errors are not."""
    assert default_retry_on(error) is worth


def test_delays_grow_up_to_their_limit():
    """Each wait is longer by the factor, up to the limit; after the last attempt there is none."""
    policy = RetryPolicy(
        initial_interval=1, backoff_factor=3, max_interval=5, max_attempts=4, jitter=False
    )
    assert [policy.delay(n, UnknownError()) for n in (1, 2, 3, 4)] == [1, 3, 5, None]


def test_a_server_s_retry_after_is_heeded():
    """The server's own wait counts where it is longer, up to the policy's limit."""
    policy = RetryPolicy(initial_interval=1, max_interval=60, jitter=False)
    assert policy.delay(1, refused(429, **{"Retry-After": "7"})) == 7
    assert policy.delay(1, refused(429, **{"Retry-After": "600"})) == 60
    assert policy.delay(1, refused(429, **{"Retry-After": "0.1"})) == 1
    assert retry_after(refused(429, **{"Retry-After": "soon"})) == 0
    assert retry_after(UnknownError()) == 0


def test_of_several_policies_the_first_that_applies_decides():
    """A later policy is asked only for errors that earlier ones do not take."""
    policies = [
        RetryPolicy(retry_on=KeyError, initial_interval=1, jitter=False),
        RetryPolicy(retry_on=[ValueError, KeyError], initial_interval=9, jitter=False),
    ]
    assert retry_delay(policies, 1, KeyError("k")) == 1
    assert retry_delay(policies, 1, ValueError()) == 9
    assert retry_delay(policies, 1, TypeError()) is None
    assert retry_delay(None, 1, KeyError("k")) is None


def test_a_task_waits_as_long_as_the_server_asks():
    """A 429 with Retry-After delays the next attempt by just that, on the host's clock."""
    clock = FakeClock()
    began = clock.monotonic()
    attempts = []

    @task(retry_policy=RetryPolicy(jitter=False))
    def ask():
        attempts.append(clock.monotonic() - began)
        if len(attempts) == 1:
            raise refused(429, **{"Retry-After": "30"})
        return "answer"

    @entrypoint(checkpointer=Host("memory:", clock=clock))
    def flow(_):
        return ask().result()

    assert flow.invoke("go", {"configurable": {"thread_id": "t"}}) == "answer"
    assert attempts == [0, 30]


def test_timeouts_are_positive_seconds():
    """Numbers and timedeltas become seconds; what is no limit is None; nonsense is refused."""
    assert TimeoutPolicy.coerce(timedelta(minutes=1)) == TimeoutPolicy(run_timeout=60.0)
    assert TimeoutPolicy.coerce(None) is None
    assert TimeoutPolicy.coerce(TimeoutPolicy()) is None
    with pytest.raises(ValueError, match="greater than 0"):
        TimeoutPolicy.coerce(0)
    with pytest.raises(ValueError, match="refresh_on"):
        TimeoutPolicy.coerce(TimeoutPolicy(idle_timeout=1, refresh_on="never"))
