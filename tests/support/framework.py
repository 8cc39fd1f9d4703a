"""A framework and its adapter, installed into a directory as pip would install them.

A stranger's package, not a double: entry points, metadata and seams are found as for any other.
"""

from __future__ import annotations

from pathlib import Path

_FRAMEWORK = '''
"""A framework of three lines: a model that answers, a tool that does, an agent around both."""

class Model:
    def call(self, prompt):
        with open("model.txt", "a") as log:
            log.write(prompt + "\\n")
        return prompt.upper()

class Tool:
    def use(self, **args):
        with open("tool.txt", "a") as log:
            log.write(repr(args) + "\\n")
        return "used"

class Agent:
    def turn(self, prompt):
        answer = Model().call(prompt)
        return answer + " " + Tool().use(word=answer)
'''

_ADAPTER = '''
"""The adapter of the framework, as a third party would write it."""

from durably.adapting import Adapter, Call, Seam, hookimpl


def call(scope, original, self, prompt):
    step = Call("model", "tiny-1", {"prompt": prompt},
                usage=lambda text: {"input_tokens": 1000, "output_tokens": len(text)})
    return scope.step(step, lambda: original(self, prompt))


def use(scope, original, self, **args):
    label = "use(" + ", ".join(f"{k}={v!r}" for k, v in args.items()) + ")"
    step = Call("tool", "use", args, label=label, effect=True)
    return scope.step(step, lambda: original(self, **args))


def turn(scope, original, self, prompt):
    with scope.span("agent", "Tiny"):
        return original(self, prompt)


class TinyAdapter(Adapter):
    name = "tiny"
    distribution = "tinyframe"
    requires = ">=1,<2"
    seams = (
        Seam("tinyframe:Model.call", "model", call, "paid calls are repeated", params=("prompt",)),
        Seam("tinyframe:Tool.use", "tool", use, "effects are repeated"),
        Seam("tinyframe:Agent.turn", "agent", turn, "steps are not grouped"),
        Seam("tinyframe:Agent.stream", "agent", turn, "streams are not grouped", optional=True),
    )


@hookimpl
def register_adapters():
    return [TinyAdapter()]


@hookimpl
def register_commands(commands):
    import click

    @commands.command()
    def hello():
        """Say hello."""
        click.echo("hello from a plug-in")
'''


def install(site: Path, *, version: str = "1.4", adapter: str = _ADAPTER) -> Path:
    """Install framework and adapter into the directory *site*, and return it."""
    site.mkdir(parents=True, exist_ok=True)
    (site / "tinyframe.py").write_text(_FRAMEWORK, encoding="utf-8")
    (site / "durably_tiny.py").write_text(adapter, encoding="utf-8")
    _metadata(site, "tinyframe", version, "")
    _metadata(site, "durably_tiny", "0.1", "[durably]\ntiny = durably_tiny\n")
    return site


def _metadata(site: Path, name: str, version: str, entry_points: str) -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (folder / "METADATA").write_text(text, encoding="utf-8")
    if entry_points:
        (folder / "entry_points.txt").write_text(entry_points, encoding="utf-8")
