"""The adapter as a plug-in: its table, what it claims, and what it leaves alone."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
from typing import ClassVar

import pytest
from crewai import Flow
from crewai.events.utils import console_formatter
from crewai.telemetry import telemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import durably
from durably.adapting import in_range, is_in, problems
from durably.testing import Reply, Rule, When
from durably_crewai import CrewAIAdapter
from durably_crewai._wrap import kind_of

from .programs import CONFIG, agent, crew, model, task


def test_the_installed_version_has_every_seam(host):
    """No seam of the table is missing in the CrewAI that is tested with, optional ones included."""
    host.activate()
    adapter = CrewAIAdapter()
    assert problems(adapter) == []
    loaded = [seam for seam in adapter.seams if seam.module in sys.modules]
    abstract = {"BaseAgent.execute_task", "BaseAgent.aexecute_task"}
    out = [seam.target for seam in loaded if not is_in(seam)]
    assert [target for target in out if target.partition(":")[2] not in abstract] == []


@pytest.mark.parametrize(
    ("version", "fits"), [("1.11.9", False), ("1.12.0", True), ("1.15.30", True), ("2.0", False)]
)
def test_the_supported_range(version, fits):
    """The range is the one that the distribution's extra names, or the constant beside it."""
    assert in_range(CrewAIAdapter(), version) is fits


def test_crewais_objects_are_claimed():
    """Crews, agents and flows are recognised, subclasses included; nothing else is."""

    class MyFlow(Flow):
        pass

    adapter = CrewAIAdapter()
    one = agent()
    made = crew(task("Work.", one))
    claimed = [made, one, MyFlow()]
    assert [kind_of(each) for each in claimed] == ["Crew", "Agent", "Flow"]
    assert all(map(adapter.claims, claimed))
    assert not any(map(adapter.claims, (made.tasks[0], model(), object(), "crew")))


def test_the_adapter_imports_no_framework():
    """Loading durably with the adapter costs no import of CrewAI or pydantic."""
    code = (
        "import sys, durably, durably_crewai; durably.Host('memory:', plugins=[durably_crewai]);"
        "print([m for m in ('crewai', 'pydantic', 'openai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_inputs_must_be_a_mapping(host):
    """A crew that is invoked with a text says what it wants instead."""
    with pytest.raises(TypeError, match="mapping of names to values"):
        durably.wrap(crew(task("Work.", agent())), checkpointer=host).invoke("tea")


def test_telemetry_stays_on_this_machine_unless_it_was_decided(host, monkeypatch):
    """Without a word in the environment CrewAI gets no span from a run; a word is respected.

    A collector of the user's own gets them.
    """
    for name in ("CREWAI_DISABLE_TELEMETRY", "CREWAI_DISABLE_TRACKING", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    host.activate()

    class Collector(http.server.BaseHTTPRequestHandler):
        asked: ClassVar[list[str]] = []

        def do_POST(self):
            self.asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    @durably.entrypoint(checkpointer=host)
    def telemetry_of(url):
        provider = TracerProvider()
        exporter = telemetry.SafeOTLPSpanExporter(endpoint=url, timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        provider.get_tracer("crewai").start_span("crew").end()
        provider.force_flush()
        provider.shutdown()
        return Collector.asked.copy()

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever).start()
        here = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("HTTP_PROXY", here)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        theirs = "http://telemetry.crewai.com/v1/traces"
        assert telemetry_of.invoke(theirs) == []
        assert telemetry_of.invoke(f"{here}/mine") == ["/mine"]
        monkeypatch.setenv("CREWAI_DISABLE_TELEMETRY", "false")
        assert telemetry_of.invoke(theirs) == ["/mine", theirs]
        server.shutdown()


def test_no_newer_crewai_is_looked_for_but_a_stand_in_is_asked(host, monkeypatch):
    """In a run nobody asks PyPI; a function that a test put in the place of CrewAI's is called."""
    for name in ("CREWAI_DISABLE_VERSION_CHECK", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked PyPI"))
    host.activate()

    found = {"is_newer_version_available": (True, "1.0", "2.0")}
    found["is_current_version_yanked"] = (True, "It is broken.")

    @durably.entrypoint(checkpointer=host)
    def shown(stand_ins):
        for name in stand_ins:
            monkeypatch.setattr(console_formatter, name, lambda value=found[name]: value)
        formatter = console_formatter.ConsoleFormatter(verbose=True)
        with formatter.console.capture() as capture:
            formatter._show_version_update_message_if_needed()
        return capture.get()

    assert shown.invoke([]) == ""
    told = shown.invoke([*found])
    assert "2.0" in told
    assert "It is broken." in told


@pytest.fixture
def signals():
    """Put the handlers of signals back."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT)
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_a_signal_that_ends_the_process_does_not_end_the_run(host, monkeypatch, signals, number):
    """CrewAI's telemetry leaves with ``SystemExit(0)`` for SIGTERM, as a program that is done."""
    for name in ("CREWAI_DISABLE_TELEMETRY", "CREWAI_DISABLE_TRACKING", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(telemetry.Telemetry, "_instance", None)
    telemetry.Telemetry()
    host.activate()
    told = []

    @durably.entrypoint(checkpointer=host)
    def main(_):
        if not told:
            told.append(number)
            signal.raise_signal(number)
        return "done"

    with pytest.raises(KeyboardInterrupt):
        main.invoke(1, CONFIG)
    assert main.invoke(None, CONFIG) == "done"


def test_a_telemetry_that_shuts_down_by_itself_interrupts_nothing(host):
    """Only a signal is an interruption: to end CrewAI's telemetry in a run ends only that."""
    host.activate()

    @durably.entrypoint(checkpointer=host)
    def main(_):
        telemetry.Telemetry()._shutdown()
        return "done"

    assert main.invoke(1, CONFIG) == "done"


def test_what_changes_the_answer_is_in_the_request(host, serve):
    """Another temperature is another request: the step is executed again, and said to differ."""
    server = serve([Rule(When(), Reply.text("Done."))])

    class Watch(durably.Listener):
        seen: list[list[str]] = []  # noqa: RUF012

        def step_changed(self, step, action, differences):
            self.seen.append([action, *differences])

    watched = durably.Host("memory:", listeners=[Watch()], on_change="rerun")
    for given, warmth in (({}, 0.1), (None, 0.1), (None, 0.9)):
        made = crew(task("Work.", agent(llm=model(temperature=warmth))))
        durably.wrap(made, checkpointer=watched).invoke(given, CONFIG)
    assert server.count() == 2
    assert Watch.seen == [["rerun", "settings.temperature: 0.1 → 0.9"]]
    watched.close()


def test_the_seams_come_out_again(host):
    """After uninstall CrewAI's own functions are back, also in its subclasses."""
    code = """\
import durably, durably_crewai
from crewai.llms.base_llm import BaseLLM
import crewai
from durably.adapting import activate, uninstall, is_in
class Mine(BaseLLM):
    def call(self, messages, **kwargs): return ""
before = vars(Mine)["call"], vars(crewai.Crew)["kickoff"]
adapter = durably_crewai.CrewAIAdapter()
activate([adapter])
assert vars(Mine)["call"] is not before[0]
uninstall(adapter)
assert (vars(Mine)["call"], vars(crewai.Crew)["kickoff"]) == before
assert not any(is_in(seam) for seam in adapter.seams)
print("out")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.stdout == "out\n", done.stderr
