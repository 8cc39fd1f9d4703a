"""A pytest plug-in that runs every test of any suite inside a durable run of its own.

``pytest -p durably.testing.active`` asks of a suite that knows nothing of durably: does the
program behave in a durable run as it does outside of one? The seams of the installed adapters are
in; model calls, tool calls and questions are journaled; what passes without must pass with it.

A test's run begins before its fixtures and is over with the test's last line. Fixtures of a wider
scope than the test, and teardown, are outside of it. Tests of the same process come one after the
other; with pytest-xdist each worker has a host of its own.

Options:
    ``--durably-store URL``: the journal, where each test is a thread named by its node id. By
    default it is in memory and emptied after each test.
"""

from __future__ import annotations

import contextvars
from collections.abc import Generator
from functools import cached_property
from typing import Any

import pytest

from ..hooks import Plugins
from .pytest_runs import MEMORY, Stage, TestRun, carrying, outside

_STEPS = "durably_steps"
"""The attribute of a test's report that says how many steps were journaled; xdist carries it."""

_run_key = pytest.StashKey[TestRun]()
_steps_key = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options."""
    parser.getgroup("durably").addoption(
        "--durably-store",
        metavar="URL",
        default=MEMORY,
        help="where the durable runs that tests run in are journaled (default: memory)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to run tests inside durable runs."""
    config.pluginmanager.register(_Active(str(config.getoption("durably_store"))), "durably-active")


class _Active:
    """The hooks.

    Args:
        url: The journal.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._tests = self._steps = 0

    @cached_property
    def _stage(self) -> Stage:
        return Stage(self._url)

    @cached_property
    def _plugins(self) -> Plugins:
        return Plugins()

    @property
    def _adapters(self) -> str:
        return ", ".join(adapter.name for adapter in self._plugins.adapters()) or "none"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Begin the test's run, and make its fixtures there."""
        run = item.stash[_run_key] = self._stage.begin(item.nodeid)
        try:
            with run.telling():
                return (yield)
        except BaseException as error:
            self._end(item, error)
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Make what outlives the test outside of its run."""
        run = request.node.stash.get(_run_key, None)
        if run is None or fixturedef.scope != "function":
            with outside():
                return (yield)
        if "anyio_backend" not in request.fixturenames:
            return (yield)
        function = fixturedef.func
        fixturedef.func = carrying(function, run.scope)  # type: ignore[misc]
        try:
            return (yield)
        finally:
            fixturedef.func = function  # type: ignore[misc]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Run the test inside its run, which is over then."""
        run, ended_by = item.stash[_run_key], None
        if isinstance(item, pytest.Function):
            _take_along(item, run)
        try:
            with run.telling():
                return (yield)
        except BaseException as error:
            ended_by = error
            raise
        finally:
            self._end(item, ended_by)

    def _end(self, item: pytest.Item, error: BaseException | None) -> None:
        run = item.stash[_run_key]
        del item.stash[_run_key]
        item.stash[_steps_key] = run.steps
        run.end(None if isinstance(error, pytest.skip.Exception) else error)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note in the report of a test that was run how many steps it took."""
        report = yield
        if call.when == "call":
            setattr(report, _STEPS, item.stash.get(_steps_key, 0))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count, in the process that tells the person at the terminal."""
        steps = getattr(report, _STEPS, None)
        if steps is not None:
            self._tests += 1
            self._steps += steps

    def pytest_report_header(self) -> list[str]:
        """Say that the tests do not run alone, and with which adapters."""
        where = f"journal: {self._url}; adapters: {self._adapters}"
        lines = [f"durably: each test runs inside a durable run; {where}"]
        broken = self._plugins.broken
        return lines + [f"durably: {name} is broken: {why}" for name, why in broken.items()]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how much was done durably; a suite that nothing was caught of proves nothing."""
        terminalreporter.write_line(
            f"durably: {self._tests} tests ran inside durable runs, {self._steps} steps journaled; "
            f"adapters: {self._adapters}"
        )
        if self._tests and not self._steps:
            terminalreporter.write_line(
                "durably: no step was journaled. Either these tests call no model, no tool and no "
                "task, or no adapter catches those calls: `durably doctor` tells which are in.",
                red=True,
                bold=True,
            )

    def pytest_unconfigure(self) -> None:
        """Close the journal, if it was opened."""
        if "_stage" in vars(self):
            self._stage.close()


def _take_along(item: pytest.Function, run: TestRun) -> None:
    """Have a test whose code runs in a context made earlier be in its run all the same."""
    if "anyio_backend" in item.funcargs:
        item.obj = carrying(item.obj, run.scope)
    context = getattr(item.instance, "_asyncioTestContext", None)
    if isinstance(context, contextvars.Context):  # of unittest.IsolatedAsyncioTestCase
        run.join(context)
