"""``pytest -p durably.testing.active``: suites that know nothing of durably, run inside runs."""

from __future__ import annotations

import sys

import pytest
from tests.support.framework import install

from durably import Host
from durably.hosting import fold

pytest_plugins = ["pytester"]

KINDS_OF_TESTS = """
    import unittest
    import pytest
    from durably.adapting import live_scope

    seen = []

    def run():
        return live_scope().run.id

    @pytest.fixture
    def made():
        return run()

    @pytest.fixture
    async def awaited():
        yield run()

    def test_plain(made):
        seen.append(made)
        assert made == run()

    @pytest.mark.parametrize("number", [1, 2])
    def test_parameters(number):
        seen.append(run())

    @pytest.mark.asyncio
    async def test_asyncio(made):
        seen.append(made)
        assert made == run()

    class TestGroup:
        def setup_method(self):
            self.made = run()

        def test_method(self):
            seen.append(run())
            assert self.made == run()

    class Classic(unittest.TestCase):
        def setUp(self):
            self.made = run()

        def test_classic(self):
            seen.append(run())
            self.assertEqual(self.made, run())

    class Isolated(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            self.made = run()

        async def test_isolated(self):
            seen.append(run())
            self.assertEqual(self.made, run())

    def test_each_had_its_own():
        assert len(set(seen)) == len(seen) == 7
"""

ANYIO = """
    import pytest
    from durably.adapting import live_scope

    def run():
        return live_scope().run.id

    @pytest.fixture(scope="module")
    def anyio_backend():
        return "asyncio"

    @pytest.fixture(scope="module")
    async def server():
        assert live_scope() is None
        yield "server"

    class TestGroup:
        @pytest.fixture
        async def made(self, server):
            self.made = run()
            yield self.made

        @pytest.mark.anyio
        async def test_method(self, server, made):
            assert made == self.made == run()

    @pytest.fixture
    async def awaited():
        return run()

    @pytest.mark.anyio
    async def test_function(server, awaited):
        assert awaited == run()
"""

OUTCOMES = """
    import pytest
    from durably.adapting import Call, live_scope

    def step(answer):
        def execute():
            if isinstance(answer, BaseException):
                raise answer
            return answer
        return live_scope().step(Call("model", "m", {}), execute)

    def test_passes():
        assert step("yes") == "yes"

    def test_fails():
        assert step("yes") == "no"

    def test_skips():
        pytest.skip(step("why"))

    @pytest.mark.skip
    def test_is_skipped():
        step("never")

    @pytest.mark.xfail(raises=KeyError)
    def test_fails_as_expected():
        step(KeyError("k"))

    def test_raises():
        error = KeyError("k")
        with pytest.raises(KeyError) as caught:
            step(error)
        assert caught.value is error

    @pytest.fixture
    def broken():
        raise OSError

    def test_cannot_be_set_up(broken):
        step("never")
"""

QUESTIONS = """
    import pytest
    from durably.adapting import live_scope

    def ask(**more):
        return live_scope().ask("q", {"message": "Publish?"}, **more)

    def test_asks():
        ask()

    def test_swallows():
        try:
            ask()
        except BaseException:
            pass

    @pytest.mark.asyncio
    async def test_asks_where_no_exception_passes():
        scope = live_scope().child("agent", targets=(lambda run, loop: (),))
        await scope.aask("q", {"message": "Publish?"})

    def test_asks_its_own_way():
        assert ask(here=lambda: "typed") == "typed"

    def test_is_not_stopped_by_the_test_before():
        assert not live_scope().run.pending
"""

UNWRITABLE = """
    from unittest.mock import MagicMock
    from durably.adapting import Call, live_scope

    def test_a_mock_as_argument_and_result():
        mock = MagicMock()
        step = Call("tool", "t", {"given": mock, "deep": [mock]})
        assert live_scope().step(step, lambda: mock) is mock
        assert mock.mock_calls == []

    def test_a_failure_with_a_lock_in_it():
        import threading
        class Local(Exception):
            pass
        error = Local(threading.Lock())
        def execute():
            raise error
        try:
            live_scope().step(Call("tool", "t", {}), execute)
        except Local as caught:
            assert caught is error
"""

SHARED = """
    import queue, threading
    import pytest
    import tinyframe

    questions, answers = queue.Queue(), queue.Queue()

    def serve():
        while (question := questions.get()) is not None:
            answers.put(tinyframe.Model().call(question))

    def test_starts_a_server_and_fails():
        threading.Thread(target=serve, daemon=True).start()
        questions.put("one")
        assert answers.get(timeout=5) == "TWO"

    def test_is_served_all_the_same():
        questions.put("two")
        assert answers.get(timeout=5) == "TWO"
        questions.put(None)
"""

WIDER = """
    import contextvars
    import pytest
    from durably.adapting import live_scope

    variable = contextvars.ContextVar("variable", default="unset")

    @pytest.fixture(scope="module")
    def shared():
        assert live_scope() is None
        yield "shared"
        assert live_scope() is None

    @pytest.fixture
    def set_variable():
        variable.set("set")
        yield
        assert live_scope() is None

    def test_fixture_of_the_module(shared, set_variable):
        assert live_scope() is not None
        assert variable.get() == "set"

    def test_context_goes_on_as_it_does_without_us(shared):
        assert variable.get() == "set"
"""


def run(pytester: pytest.Pytester, program: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(program)
    base = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
    return pytester.runpytest("-p", "durably.testing.active", "-rA", *base, *options)


def said(result: pytest.RunResult) -> str:
    [line] = [line for line in result.outlines if "ran inside durable runs" in line]
    return line


def test_every_kind_of_test_is_in_a_run_of_its_own(pytester):
    """Plain, parametrised, async, classes, unittest's two: fixtures and test share one run."""
    result = run(pytester, KINDS_OF_TESTS)
    result.assert_outcomes(passed=8)
    assert "8 tests ran inside durable runs, 0 steps journaled; adapters: " in said(result)


def test_tests_of_anyio_are_in_their_runs(pytester):
    """AnyIO runs tests and fixtures in one task that began before them."""
    run(pytester, ANYIO).assert_outcomes(passed=2)


def test_outcomes_keep_their_meaning(pytester):
    """What passes, fails, is skipped, expected to fail or an error is so without durably too."""
    result = run(pytester, OUTCOMES)
    result.assert_outcomes(passed=2, failed=1, skipped=2, xfailed=1, errors=1)
    result.stdout.fnmatch_lines(['>*assert step("yes") == "no"', "E*AssertionError*"])
    assert "5 tests ran inside durable runs, 5 steps journaled" in said(result)


def test_a_test_that_asks_a_person_fails_and_says_so(pytester):
    """A question fails the test that asks, swallowed or not, unless the program asks itself."""
    result = run(pytester, QUESTIONS)
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines(["*the test asked a person*Publish?*"])


def test_values_that_cannot_be_written_do_no_harm(pytester):
    """A mock or an exception with a lock in it comes out as it went in, and is left alone."""
    run(pytester, UNWRITABLE).assert_outcomes(passed=2)


def test_what_a_test_leaves_behind_serves_the_next(pytester, monkeypatch):
    """A failed test's thread is not stopped, as that of a failed run is."""
    monkeypatch.syspath_prepend(str(install(pytester.path / "site")))
    run(pytester, SHARED).assert_outcomes(passed=1, failed=1)


def test_what_outlives_a_test_is_made_outside_of_its_run(pytester):
    """Wider fixtures and teardown are outside; context variables keep what tests set."""
    run(pytester, WIDER).assert_outcomes(passed=2)


def test_the_header_names_adapters_and_broken_plugins(pytester, monkeypatch):
    """Who reads that all tests passed sees whether anything was caught at all."""
    site = install(pytester.path / "site")
    monkeypatch.syspath_prepend(str(site))
    result = run(pytester, "def test_it(): pass")
    result.stdout.fnmatch_lines(["durably: each test runs inside a durable run*adapters:*tiny*"])
    broken = install(pytester.path / "other", adapter="raise OSError('no disk')")
    done = pytester.run(
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(broken)!r}); import pytest; "
        "sys.exit(pytest.main(['-p', 'durably.testing.active', '-p', 'no:cacheprovider']))",
    )
    done.stdout.fnmatch_lines(["durably: *tiny*is broken:*no disk*"])


def test_a_suite_that_nothing_was_caught_of_says_so(pytester):
    """Tests that pass while durably has nothing to do prove nothing; with a step it is quiet."""
    quiet = "durably: no step was journaled*"
    run(pytester, "def test_it(): pass").stdout.fnmatch_lines([quiet])
    run(pytester, OUTCOMES).stdout.no_fnmatch_line(quiet)


def test_workers_of_xdist_report_what_they_did(pytester):
    """Each worker has a host of its own; the sum is told at the end."""
    result = run(pytester, OUTCOMES, "-n", "2")
    result.assert_outcomes(passed=2, failed=1, skipped=2, xfailed=1, errors=1)
    assert "5 tests ran inside durable runs, 5 steps journaled" in said(result)


def test_ctrl_c_stops_the_session(pytester):
    """``pytest.exit`` in a test ends the whole run of pytest."""
    result = run(pytester, "import pytest\ndef test_it(): pytest.exit('enough', 3)")
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*enough*"])


def test_a_journal_can_be_kept(pytester):
    """With ``--durably-store`` each test is a thread of the journal, named by its node id."""
    url = f"sqlite:///{pytester.path / 'tests.db'}"
    run(pytester, OUTCOMES, "--durably-store", url).assert_outcomes(
        passed=2, failed=1, skipped=2, xfailed=1, errors=1
    )
    host = Host(url)
    views = fold(host.journal.landmarks()).values()
    host.close()
    statuses = {view.thread.partition("::")[2]: view.status for view in views}
    assert statuses == {
        "test_passes": "done",
        "test_fails": "failed",
        "test_skips": "done",
        "test_is_skipped": "done",
        "test_fails_as_expected": "failed",
        "test_raises": "done",
        "test_cannot_be_set_up": "failed",
    }
