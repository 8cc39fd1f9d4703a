"""A framework that does not fit is refused before anything runs."""

from __future__ import annotations

import importlib

import pytest

from durably.adapting import in_range, installed_version
from durably.adapting._compatibility import UNTESTED, check
from durably.errors import AdapterMismatch

from .runs import adapter, host_of, seam

CALL = seam("models:Model.call")


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Version 2.5.0 of the fake framework, as a package manager would have installed it."""
    info = tmp_path / "fakeframework-2.5.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fakeframework\nVersion: 2.5.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("distribution")
def test_the_installed_version_is_the_distributions():
    """The version comes from the distribution's metadata; the framework is not imported."""
    assert installed_version(adapter()) == "2.5.0"


def test_what_is_not_installed_has_no_version():
    """A framework that is not installed has no version, and so none that is out of range."""
    made = adapter(CALL, distribution="no-such-framework", requires="<1")
    assert installed_version(made) is None
    importlib.import_module("fakeframework.models")
    check(made, {"fakeframework.models"})


@pytest.mark.parametrize(
    ("requires", "version", "fits"),
    [
        (">=2,<3", "2.5.0", True),
        (">=2,<3", "3.0", False),
        (">=2.5", "2.6.0rc1", True),
        ("", "0.0.1", True),
    ],
)
def test_the_range_is_a_version_specifier(requires, version, fits):
    """Ranges are those of packaging; pre-releases count; no range takes every version."""
    assert in_range(adapter(requires=requires), version) is fits


@pytest.mark.usefixtures("distribution")
def test_a_version_out_of_range_is_refused_with_a_way_out():
    """The error names the version, the range, what to install, and how to try it all the same."""
    importlib.import_module("fakeframework.models")
    with pytest.raises(AdapterMismatch) as caught:
        check(adapter(CALL, requires=">=1,<2"), {"fakeframework.models"})
    said = str(caught.value)
    assert "fakeframework 2.5.0 is outside the range" in said
    assert "pip install 'fakeframework>=1,<2'" in said
    assert "DURABLY_UNTESTED=fake" in said


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("named", ["fake", "other, fake"])
def test_an_untested_version_can_be_allowed(monkeypatch, named):
    """An adapter named in the environment variable works with any version."""
    monkeypatch.setenv(UNTESTED, named)
    importlib.import_module("fakeframework.models")
    check(adapter(CALL, requires=">=1,<2"), {"fakeframework.models"})


@pytest.mark.usefixtures("distribution")
def test_allowing_another_adapter_allows_nothing_here(monkeypatch):
    """The environment variable speaks of the adapters that it names."""
    monkeypatch.setenv(UNTESTED, "other")
    importlib.import_module("fakeframework.models")
    with pytest.raises(AdapterMismatch, match="outside the range"):
        check(adapter(CALL, requires=">=1,<2"), {"fakeframework.models"})


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("kind", ["model", "tool"])
def test_an_essential_seam_that_is_gone_is_refused(kind):
    """Without a model's or tool's seam paid work would be repeated; every reason is named."""
    importlib.import_module("fakeframework.models")
    gone = seam("models:Model.invoke", kind=kind)
    odd = seam("models:Model.call", kind=kind, params=("messages",))
    with pytest.raises(AdapterMismatch) as caught:
        check(adapter(gone, odd), {"fakeframework.models"})
    said = str(caught.value)
    assert "fakeframework 2.5.0 does not fit the fake adapter" in said
    assert "Model.invoke is gone" in said
    assert "Model.call no longer takes messages" in said
    assert "calls are repeated" in said


@pytest.mark.parametrize("kind", ["agent", "support", "human"])
def test_another_seam_that_is_gone_is_logged(kind, caplog):
    """What is merely lost is said in the log, and the run goes on without it."""
    importlib.import_module("fakeframework.models")
    check(adapter(seam("models:Model.invoke", kind=kind)), {"fakeframework.models"})
    assert "Model.invoke is gone" in caplog.text
    assert "lost: calls are repeated" in caplog.text


def test_an_optional_seam_that_is_gone_is_nothing(caplog):
    """Some versions of a framework do not have it; nobody is bothered."""
    importlib.import_module("fakeframework.models")
    check(adapter(seam("models:Model.invoke", optional=True)), {"fakeframework.models"})
    assert caplog.text == ""


def test_a_run_on_a_framework_that_does_not_fit_does_not_begin():
    """The refusal comes before the run is recorded, and the thread can be used again."""
    importlib.import_module("fakeframework.models")
    host = host_of(adapter(seam("models:Model.invoke")))
    with pytest.raises(AdapterMismatch):
        host.begin("test", None, thread="t")
    assert list(host.journal.read("t")) == []
    host.journal.take("t").release()
    host.close()
