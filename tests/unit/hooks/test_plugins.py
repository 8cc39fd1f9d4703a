"""Plug-ins are found, ordered, named when they are broken, and asked hook by hook."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import click
import pytest

import durably
from durably import Host, Interrupt, MemoryStorage, PluginError, RunInfo, SqliteStorage, hookimpl
from durably.adapting import Adapter
from durably.engine import Answer
from durably.hooks import DISABLE, Listener, PluginInfo, Plugins
from durably.journal import TypeCodec

RUN = RunInfo("run", "thread", "test", resumed=False)


@pytest.fixture
def distribute(tmp_path, monkeypatch):
    """Installs a plug-in the way pip would: a module, and metadata that names it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def install(name, source, *, point=None, version="1.0"):
        module = f"plugin_of_{name}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[durably]\n{point or name} = {module}\n")
        made.append(module)

    yield install
    for module in made:
        sys.modules.pop(module, None)


def offering(hook, value):
    """Return a plug-in in code whose *hook* takes anything that it may and returns *value*."""
    made = type("Offering", (), {})()
    parameters = {
        "register_commands": "commands",
        "open_storage": "url",
        "open_cache": "url",
        "open_store": "url",
        "answer_interrupt": "interrupt, run",
        "price": "model, usage",
    }.get(hook, "")
    space = {"value": value}
    exec(f"def {hook}({parameters}): return value", space)
    setattr(made, hook, hookimpl(space[hook]))
    return made


def only(*plugins):
    """Return plug-ins of which none is installed."""
    return Plugins(plugins, discover=False)


PRICES = """
    from durably import hookimpl

    @hookimpl
    def price(model, usage):
        return {price}
"""


def test_hook_register_adapters():
    """Adapters reach the host, behind the one for Python's own threads."""

    class Mine(Adapter):
        name = "mine"
        distribution = "mine"

    adapter = Mine()
    plugins = only(offering("register_adapters", [adapter]))
    assert plugins.adapters() == [adapter]
    host = Host("memory:", plugins=plugins)
    assert [one.name for one in host.adapters] == ["threads", "mine"]
    host.close()


def test_hook_register_codecs():
    """A codec writes values of a type that the journal could not hold."""

    class Point:
        def __init__(self, x):
            self.x = x

    codec = TypeCodec(Point, "point", lambda one: one.x, Point)
    host = Host("memory:", plugins=only(offering("register_codecs", [codec])))
    written = host.codec.encode(Point(7))
    assert host.codec.decode(written).x == 7
    host.close()


def test_hook_register_listeners():
    """A listener is told of runs."""

    class Told(Listener):
        def __init__(self):
            self.runs = []

        def run_started(self, run):
            self.runs.append(run.entry)

    told = Told()
    plugins = only(offering("register_listeners", [told]))
    assert plugins.listeners() == [told]
    host = Host("memory:", plugins=plugins)
    assert host.options.listeners.run_started == (told.run_started,)
    host.close()


def test_hook_register_commands():
    """A plug-in adds a command to the group it is given."""

    class Adding:
        @hookimpl
        def register_commands(self, commands):
            commands.add_command(click.Command("greet"))

    group = click.Group()
    only(Adding()).add_commands(group)
    assert list(group.commands) == ["greet"]


def test_hook_open_storage():
    """A plug-in opens the journal for its own URLs; the built-in ones stay."""

    class Opening:
        @hookimpl
        def open_storage(self, url):
            return storage if url == "mine://" else None

    storage = MemoryStorage()
    plugins = only(Opening())
    assert plugins.open_storage("mine://") is storage
    assert isinstance(plugins.open_storage("memory:"), MemoryStorage)


@pytest.mark.parametrize(("hook", "opener"), [("open_cache", "cache"), ("open_store", "store")])
def test_an_opener_takes_what_a_plug_in_opens(hook, opener):
    """Caches and stores are opened by whoever knows the URL."""
    opened = object()
    assert getattr(only(offering(hook, opened)), hook)(f"my{opener}://") is opened


def test_hook_open_cache():
    """A URL that no plug-in's cache knows is refused by name."""
    with pytest.raises(PluginError, match="no cache knows 'mine://'"):
        only(offering("open_cache", None)).open_cache("mine://")


def test_hook_open_store():
    """A URL that no plug-in's store knows is refused by name."""
    with pytest.raises(PluginError, match="no store knows 'mine://'"):
        only(offering("open_store", None)).open_store("mine://")


def test_hook_answer_interrupt():
    """A plug-in may answer a question; one that returns None leaves it open."""
    answer = Answer("yes", "policy")
    question = Interrupt("Publish?", "i1")
    assert only(offering("answer_interrupt", answer)).answer(question, RUN) is answer
    assert only(offering("answer_interrupt", None)).answer(question, RUN) is None


def test_hook_price():
    """A plug-in says what a call cost; nobody knowing is None."""
    assert only(offering("price", 0.25)).price("m", {}) == 0.25
    assert only(offering("price", None)).price("m", {}) is None
    assert only().price("m", {}) is None


def test_hook_lend_name(distribute):
    """A program imports a plug-in's class from ``durably``; other names are AttributeErrors."""
    lent = """
        from durably import hookimpl

        class RedisSaver: ...

        @hookimpl
        def lend_name(name):
            return {"RedisSaver": RedisSaver}.get(name)
    """
    distribute("redis_savers", lent)
    distribute("broken_savers", "import no_such_driver")

    assert durably.RedisSaver.__name__ == "RedisSaver"
    assert "RedisSaver" not in dir(durably)
    with pytest.raises(AttributeError, match=r"no attribute 'MissingSaver'.*broken_savers failed"):
        _ = durably.MissingSaver


def test_built_in_storages_need_no_plug_in(tmp_path):
    """``memory:``, ``sqlite:///path`` and a path that ends in ``.db`` open by themselves."""
    plugins = only()
    assert isinstance(plugins.open_storage("memory:"), MemoryStorage)
    for url in (f"sqlite:///{tmp_path}/one.db", f"{tmp_path}/two.db"):
        opened = plugins.open_storage(url)
        assert isinstance(opened, SqliteStorage)
        opened.close()


def test_an_unknown_url_says_what_there_is(distribute):
    """The error names the URL, what is built in, and a plug-in that could not be asked."""
    distribute("cockroach", "import no_such_driver")
    with pytest.raises(PluginError) as caught:
        Plugins().open_storage("cockroach://db")
    said = str(caught.value)
    assert "no storage knows 'cockroach://db'" in said
    assert "'memory:'" in said
    assert "Plug-in cockroach failed to load: ModuleNotFoundError" in said


def test_an_error_while_opening_is_the_plug_ins_own():
    """What a plug-in raises comes through with a note that says who opened what."""

    class Failing:
        @hookimpl
        def open_storage(self, url):
            raise OSError("no route to host")

    with pytest.raises(OSError, match="no route to host") as caught:
        only(Failing()).open_storage("mine://")
    assert caught.value.__notes__ == ["raised by the plug-in that opens storage 'mine://'"]


def test_a_user_beats_a_third_party_and_that_beats_the_built_in(distribute):
    """Who is asked first decides, and what is given in code is asked first."""
    distribute(
        "stranger",
        """
        from durably import MemoryStorage, hookimpl

        class Strange(MemoryStorage):
            pass

        @hookimpl
        def open_storage(url):
            return Strange()

        @hookimpl
        def price(model, usage):
            return 1.0
        """,
    )
    mine = offering("price", 2.0)
    assert type(Plugins().open_storage("memory:")).__name__ == "Strange"
    assert Plugins().price("m", {}) == 1.0
    assert Plugins([mine]).price("m", {}) == 2.0


def test_trylast_lets_another_go_first():
    """The marks of pluggy move an implementation."""

    class Last:
        @hookimpl(trylast=True)
        def price(self, model, usage):
            return 1.0

    assert only(offering("price", 2.0), Last()).price("m", {}) == 2.0
    assert only(offering("price", 2.0), offering("price", 3.0)).price("m", {}) == 3.0


def test_what_is_collected_comes_in_the_order_of_asking():
    """Adapters that are asked first stand in front."""
    first, second = object(), object()
    plugins = only(offering("register_adapters", [second]), offering("register_adapters", [first]))
    assert plugins.adapters() == [first, second]


def test_an_installed_plug_in_is_found_and_named(distribute):
    """A distribution's entry point in the group ``durably`` is all it takes."""
    distribute("prices", PRICES.format(price=0.5), version="3.1")
    plugins = Plugins()
    assert plugins.price("m", {}) == 0.5
    assert PluginInfo("prices", "prices 3.1") in plugins.infos


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
        (
            "from durably import hookimpl\n@hookimpl\ndef price(wrong): ...",
            "PluginValidationError",
        ),
        (
            "from durably import hookimpl\n@hookimpl\ndef open_storrage(url): ...",
            "unknown hook 'open_storrage'; there are: answer_interrupt, escalate_interrupt",
        ),
    ],
    ids=["import", "code", "syntax", "parameters", "misspelt"],
)
def test_a_broken_plug_in_is_named_and_the_others_work(distribute, source, said):
    """One broken plug-in is kept with its reason, offers nothing, and breaks nobody."""
    distribute("broken", source)
    distribute("prices", PRICES.format(price=0.5))
    plugins = Plugins()
    assert said in plugins.broken["broken"]
    assert "prices" not in plugins.broken
    assert plugins.price("m", {}) == 0.5


@pytest.mark.parametrize(
    "hook", ["register_adapters", "register_codecs", "register_listeners", "register_commands"]
)
def test_a_plug_in_that_fails_when_asked_is_named_and_the_others_work(distribute, hook):
    """An installed plug-in whose hook raises is kept as broken; the others are asked."""
    parameter = "commands" if hook == "register_commands" else ""
    distribute(
        "failing",
        f"""
        from durably import hookimpl

        @hookimpl
        def {hook}({parameter}):
            yield from {{}}["gone"]
        """,
    )
    distribute("prices", PRICES.format(price=0.5))
    plugins = Plugins()
    ask = {
        "register_adapters": plugins.adapters,
        "register_codecs": plugins.codecs,
        "register_listeners": plugins.listeners,
        "register_commands": lambda: plugins.add_commands(click.Group()),
    }[hook]
    ask()
    assert plugins.broken["failing"] == f"{hook}() raised KeyError: 'gone'"
    assert plugins.price("m", {}) == 0.5


def test_a_plug_in_given_in_code_that_fails_when_asked_raises():
    """Whoever hands a plug-in over is told at once that it does not work."""

    class Failing:
        @hookimpl
        def register_adapters(self):
            raise KeyError("gone")

    with pytest.raises(PluginError, match=r"plug-in Failing .*register_adapters\(\) raised"):
        only(Failing()).adapters()


def test_a_misspelt_hook_given_in_code_raises_and_lists_the_real_ones():
    """The error lists the hooks that there are, without the misspelt one."""

    class Misspelt:
        @hookimpl
        def open_storrage(self, url): ...

    with pytest.raises(PluginError) as caught:
        only(Misspelt())
    listed = str(caught.value).partition("there are: ")[2].split(", ")
    assert "open_storage" in listed
    assert "open_storrage" not in listed


def test_a_hook_with_wrong_parameters_given_in_code_raises():
    """A parameter that the hook does not have is refused with the plug-in's name."""

    class Wrong:
        @hookimpl
        def price(self, wrong): ...

    with pytest.raises(PluginError, match="plug-in Wrong cannot be used"):
        only(Wrong())


def test_a_hook_cannot_be_wrapped():
    """Wrappers are refused, since the objects that hooks return are called directly."""

    class Wrapping:
        @hookimpl(wrapper=True)
        def register_adapters(self):
            return (yield)

    with pytest.raises(PluginError, match="register_adapters cannot be wrapped; use tryfirst"):
        only(Wrapping())


@pytest.mark.parametrize("named", ["prices", " other , prices "])
def test_a_blocked_plug_in_is_not_loaded(distribute, monkeypatch, named):
    """A plug-in that the environment leaves out is not even imported, and is listed as blocked."""
    distribute("prices", PRICES.format(price=0.5))
    monkeypatch.setenv(DISABLE, named)
    plugins = Plugins()
    assert plugins.price("m", {}) is None
    assert "plugin_of_prices" not in sys.modules
    assert PluginInfo("prices", "prices 1.0", blocked=True) in plugins.infos


def test_two_distributions_with_one_name_are_told_apart(distribute):
    """The second plug-in of a name is not lost without a word."""
    distribute("first", PRICES.format(price=1.0), point="prices")
    distribute("second", PRICES.format(price=2.0), point="prices")
    plugins = Plugins()
    found = [one for one in plugins.infos if one.name == "prices"]
    assert sorted(one.error for one in found) == ["", "another plug-in is called prices too"]
    assert {one.source for one in found} == {"first 1.0", "second 1.0"}


def test_an_installed_plug_in_may_be_given_in_code_too(distribute):
    """A module that is installed and given in code is one plug-in, and is asked first."""
    import importlib

    distribute("aaa", PRICES.format(price=1.0))
    distribute("zzz", PRICES.format(price=2.0))
    importlib.invalidate_caches()
    assert Plugins().price("m", {}) == 2.0
    given = importlib.import_module("plugin_of_aaa")
    plugins = Plugins([given])
    assert plugins.price("m", {}) == 1.0
    assert [one.source for one in plugins.infos if "aaa" in one.name] == ["given in code"]


def test_nothing_is_discovered_unless_asked(distribute):
    """``discover=False`` leaves installed plug-ins alone."""
    distribute("prices", PRICES.format(price=0.5))
    assert Plugins(discover=False).price("m", {}) is None


def test_loading_plug_ins_imports_no_framework():
    """What is installed here is loaded, first-party adapters included, without a framework."""
    code = (
        "import sys; from durably.hooks import Plugins; Plugins().adapters();"
        "import durably_autogen, durably_crewai;"
        "print([n for n in sys.modules if n.partition('.')[0] in"
        " {'crewai', 'autogen_core', 'autogen_agentchat', 'autogen_ext', 'langgraph',"
        " 'langchain_core', 'pydantic', 'openai'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
