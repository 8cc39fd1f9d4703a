"""Seams take hold whenever, wherever and by whomever the framework is imported."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import threading

import pytest

from durably.adapting import activate, deactivate, is_in
from durably.errors import AdapterMismatch

from .runs import adapter, host_of, seam, steps_of

CALL = seam("models:Model.call")
RUN = seam("tools:Tool.run", kind="tool")


def test_activating_imports_nothing():
    """An adapter's framework is not imported for it."""
    activate([adapter(CALL, RUN)])
    assert "fakeframework" not in sys.modules


def test_a_module_imported_before_is_caught():
    """A framework that is there already gets its seams at once."""
    importlib.import_module("fakeframework.models")
    activate([adapter(CALL)])
    assert is_in(CALL)


def test_a_module_imported_later_is_caught():
    """A framework that comes later gets its seams before its importer goes on."""
    activate([adapter(CALL)])
    importlib.import_module("fakeframework.models")
    assert is_in(CALL)


def test_submodules_before_and_after_are_caught():
    """Each submodule counts by itself, whichever of them were imported when."""
    importlib.import_module("fakeframework.tools")
    activate([adapter(CALL, RUN)])
    assert is_in(RUN)
    assert "fakeframework.models" not in sys.modules
    importlib.import_module("fakeframework.models")
    assert is_in(CALL)


def test_an_import_inside_a_function_is_caught():
    """A framework that imports a part of itself in the middle of a run is caught in time."""
    from fakeframework.agents import Agent

    assert "fakeframework.models" not in sys.modules
    assert steps_of(lambda: Agent().work("tea"), adapter(CALL)) == ("answer to tea", ["Model.call"])


def test_an_import_in_another_thread_is_caught():
    """The thread that imports does not matter."""
    activate([adapter(CALL)])
    thread = threading.Thread(target=importlib.import_module, args=["fakeframework.models"])
    thread.start()
    thread.join()
    assert is_in(CALL)


def test_a_module_imported_anew_is_caught_by_the_next_run():
    """A module that was thrown out and imported again has its seams when the next run begins."""
    made = adapter(CALL)
    activate([made])
    importlib.import_module("fakeframework.models")
    del sys.modules["fakeframework.models"]
    importlib.import_module("fakeframework.models")
    assert not is_in(CALL)
    activate([made])
    assert is_in(CALL)


def test_a_module_that_was_reloaded_is_caught_by_the_next_run():
    """A module that was executed again in place, as notebooks do, has its seams once more."""
    made = adapter(CALL)
    module = importlib.import_module("fakeframework.models")
    activate([made])
    importlib.reload(module)
    assert not is_in(CALL)
    activate([made])
    assert is_in(CALL)


def test_a_function_that_was_put_in_a_seams_place_is_caught_by_the_next_run(monkeypatch):
    """Who replaces a framework's function, as instrumentation does, has the new one journaled."""
    made = adapter(CALL)
    models = importlib.import_module("fakeframework.models")
    activate([made])
    monkeypatch.setattr(models.Model, "call", lambda self, prompt: f"another {prompt}")
    assert not is_in(CALL)
    activate([made])
    assert is_in(CALL)


def test_adapters_of_one_kind_with_other_seams_are_put_in_too():
    """What one adapter's seams look like says nothing about those of its next version."""
    importlib.import_module("fakeframework.models")
    importlib.import_module("fakeframework.tools")
    first, second = adapter(CALL), adapter(CALL)
    second.seams = (*second.seams, RUN)
    activate([first])
    activate([second])
    assert is_in(RUN)


def test_an_imported_module_shows_no_trace_of_the_watch():
    """Loader, spec and source of a watched module are those of any other."""
    activate([adapter(CALL)])
    watched = importlib.import_module("fakeframework.models")
    plain = importlib.import_module("fakeframework.tools")
    assert type(watched.__loader__) is type(plain.__loader__)
    assert watched.__spec__.loader is watched.__loader__
    assert inspect.getsource(watched).startswith('"""Models')


def test_looking_for_a_module_is_not_importing_it():
    """``find_spec``, which programs use to see what is installed, finds it and changes nothing."""
    activate([adapter(CALL)])
    found = importlib.util.find_spec("fakeframework.models")
    assert found is not None
    assert found.loader.get_source("fakeframework.models").startswith('"""Models')
    assert "fakeframework.models" not in sys.modules
    importlib.import_module("fakeframework.models")
    assert is_in(CALL)


def test_a_missing_module_stays_missing():
    """An awaited module that there is not raises the usual error."""
    activate([adapter(seam("nowhere:Model.call"))])
    with pytest.raises(ModuleNotFoundError, match=r"fakeframework\.nowhere"):
        importlib.import_module("fakeframework.nowhere")


def test_a_module_whose_import_fails_is_awaited_still(tmp_path, monkeypatch):
    """An import that failed half-way is caught when it succeeds."""
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "moody.py"
    path.write_text("raise ImportError('not today')")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    mine = seam("models:Model.call")
    moody = type(mine)("moody:call", "support", mine.around, "nothing")
    activate([adapter(moody)])
    with pytest.raises(ImportError, match="not today"):
        importlib.import_module("moody")
    path.write_text("def call(prompt): return prompt")
    importlib.invalidate_caches()
    importlib.import_module("moody")
    monkeypatch.delitem(sys.modules, "moody", raising=False)


def test_the_adapter_in_front_takes_a_seam_that_two_want():
    """A user's adapter beats an installed one of the same name, early import or late."""
    mine = adapter(seam("tools:shout", lambda scope, original, text: "mine", kind="support"))
    other = adapter(seam("tools:shout", lambda scope, original, text: "other", kind="support"))

    def body():
        from fakeframework import tools

        return tools.shout("x")

    assert steps_of(body, mine, other)[0] == "mine"


def test_two_hosts_await_one_framework_once():
    """Hosts that were made one after the other do not put their seams around each other."""
    activate([adapter(CALL)])
    activate([adapter(CALL)])

    def body():
        from fakeframework.models import Model

        return Model().call("tea")

    assert steps_of(body, adapter(CALL))[1] == ["Model.call"]


def test_a_forgotten_adapter_is_not_put_in():
    """After deactivating, a later import is nobody's business; what is in stays in."""
    importlib.import_module("fakeframework.tools")
    made = adapter(CALL, RUN)
    activate([made])
    deactivate([made])
    importlib.import_module("fakeframework.models")
    assert (is_in(CALL), is_in(RUN)) == (False, True)


def test_a_late_import_that_does_not_fit_fails_each_time():
    """The import of a framework that drifted is refused, and so is the second attempt."""
    activate([adapter(seam("models:Model.invoke"))])
    for _ in range(2):
        with pytest.raises(AdapterMismatch, match=r"Model\.invoke is gone"):
            importlib.import_module("fakeframework.models")
        assert "fakeframework.models" not in sys.modules


def test_a_module_is_checked_once_for_all_runs(caplog):
    """What is merely lost is told once, not at the beginning of each run."""
    importlib.import_module("fakeframework.tools")
    host = host_of(adapter(seam("tools:Tool.gone", kind="support")))
    for _ in range(3):
        host.release(host.begin("test", None))
    host.close()
    assert caplog.text.count("Tool.gone is gone") == 1
