"""The adapter's table, against the LangGraph that is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from langgraph.graph.message import add_messages
from langgraph.pregel.main import Pregel

import durably
from durably.adapting import in_range, installed_version, is_in, problem, uninstall
from durably_langgraph import LangGraphAdapter

from .programs import three


def test_every_seam_is_there(process):
    """The installed LangGraph offers all that the table names, and wrapping puts it in."""
    adapter = LangGraphAdapter()
    process(three([]))
    assert [found for seam in adapter.seams if (found := problem(seam))] == []
    assert all(is_in(seam) for seam in adapter.seams)


def test_the_installed_version_is_one_that_is_tested():
    """The extra's range is the adapter's."""
    adapter = LangGraphAdapter()
    assert in_range(adapter, installed_version(adapter))
    assert not in_range(adapter, "1.1")


def test_seams_come_out_again(process):
    """What was put in is taken out: LangGraph's own functions and modules are back."""
    wrapped = process(three([]))
    seen = Pregel.invoke
    uninstall(LangGraphAdapter())
    assert Pregel.invoke is not seen
    assert type(add_messages.__globals__["uuid"]) is type(sys)
    wrapped.host.activate()
    assert Pregel.invoke is not seen
    assert type(add_messages.__globals__["uuid"]) is not type(sys)


def test_the_adapter_imports_no_framework():
    """Loading it costs nothing where LangGraph is not used."""
    code = "import sys, durably_langgraph; print({'langgraph', 'langchain_core'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_is_no_graph_is_not_claimed():
    """A graph has to be compiled before it can be wrapped."""
    with pytest.raises(TypeError, match="no adapter wraps"):
        durably.wrap(three([]).builder, checkpointer="memory:")
