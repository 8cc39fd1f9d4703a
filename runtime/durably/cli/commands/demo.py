"""``durably demo``: an ordinary program, killed in the middle and run again, plain and durable.

Offline: the model is the test kit's scripted server on loopback, in a process of its own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import click

from ...errors import LaunchError

_DELAY = 0.25
_PATIENCE = 120.0
_LOOK_EVERY = 0.01
_REMARK = "approximate input token count"


@dataclass(frozen=True, slots=True)
class Demo:
    """One of the demo programs.

    Attributes:
        name: The framework, which is also the extra that installs it.
        package: What must be importable.
        program: The program's file.
        script: The model server's script.
        shown: What the script is called for the person who watches.
    """

    name: str
    package: str
    program: str
    script: str
    shown: str


DEMOS = {
    "crewai": Demo("crewai", "crewai", "demo_crew.py", "crew", "crew.py"),
    "autogen": Demo("autogen", "autogen_agentchat", "demo_team.py", "team", "team.py"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What a program cost, killed once and run again.

    Attributes:
        requests: Model requests made, both times together.
        twice: How many of them had been made before.
        mails: Mails sent.
    """

    requests: int
    twice: int
    mails: int


@click.command()
@click.argument("framework", type=click.Choice(sorted(DEMOS)), default="crewai")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Work in this directory and leave the program, journal and mails there.",
)
def demo(framework: str, keep: Path | None) -> None:
    """Kill an ordinary program in the middle, run it again, and show what that cost.

    Runs it twice as it is and twice with durably, against a scripted model on this machine: no
    network, no key, about half a minute.
    """
    chosen = DEMOS[framework]
    if importlib.util.find_spec(chosen.package) is None:
        raise LaunchError(
            f"the demo needs {framework}, which is not installed: "
            f"pip install 'durably[{chosen.name}]'"
        )
    with _workplace(keep) as folder:
        source = _source(chosen.program)
        lines = source.count("\n")
        click.echo(f"{chosen.shown}: an ordinary {framework} program, {lines} lines, none of them")
        click.echo("about durability. It looks an order up, mails the customer, reports.\n")
        plain = _scenario(folder / "plain", chosen, source, ["python"])
        durable = _scenario(folder / "durable", chosen, source, ["durably", "run"])
        _show(plain, durable)
        if keep is not None:
            click.echo(f"\nLeft for you in {keep}: the program, the journal, the mails.")


@contextlib.contextmanager
def _workplace(keep: Path | None) -> Generator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="durably-demo-") as folder:
        yield Path(folder)


def _source(program: str) -> str:
    """Return a demo program: packaged in a wheel, or in the examples of a checkout."""
    packaged = files("durably.cli") / "demos" / program
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[4] / "examples" / program).read_text(encoding="utf-8")


def _scenario(own: Path, chosen: Demo, source: str, launcher: Sequence[str]) -> Tally:
    """Run the program, kill it when it has sent its mail and gone on, and run it again."""
    own.mkdir(exist_ok=True)
    (own / chosen.shown).write_text(source, encoding="utf-8")
    log, outbox = own / "requests.jsonl", own / "outbox.txt"
    for left_over in (log, outbox):
        left_over.unlink(missing_ok=True)
    module = [] if launcher == ["python"] else ["-m", *launcher]
    command = [sys.executable, *module, chosen.shown]
    prompt = " ".join([*launcher, chosen.shown])
    with _model(chosen.script, log) as url:
        env = _environment(own, url, outbox)
        click.secho(f"$ {prompt}", bold=True)
        _run_and_kill(command, own, env, log, outbox)
        click.secho("killed (SIGKILL), right after the mail was sent\n", fg="red")
        click.secho(f"$ {prompt}", bold=True)
        output = _run(command, own, env)
        click.echo(output.rstrip() + "\n")
    counts = Counter(_fingerprints(log))
    mails = outbox.read_text(encoding="utf-8").count("\n")
    twice = sum(number - 1 for number in counts.values())
    return Tally(sum(counts.values()), twice, mails)


@contextlib.contextmanager
def _model(script: str, log: Path) -> Generator[str]:
    """Serve the scripted model; it ends with this block, or with this process."""
    command = [sys.executable, "-m", "durably.testing.server", "--script", script]
    command += ["--requests", str(log), "--delay", str(_DELAY)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise LaunchError("the demo's model server did not start; see its message above")
        yield url
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _environment(own: Path, url: str, outbox: Path) -> dict[str, str]:
    return {
        **os.environ,
        "OPENAI_BASE_URL": url,
        "OPENAI_API_BASE": url,
        "OPENAI_API_KEY": "not-needed",
        "OUTBOX": str(outbox),
        "CREWAI_STORAGE_DIR": str(own / "crewai"),
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "CREWAI_DISABLE_VERSION_CHECK": "true",
        "CREWAI_TESTING": "true",
        "OTEL_SDK_DISABLED": "true",
        "PYTHONWARNINGS": "ignore",
    }


def _run_and_kill(
    command: Sequence[str], own: Path, env: dict[str, str], log: Path, outbox: Path
) -> None:
    """Run the program until its mail is out and the next request is on its way, then kill it."""
    end = time.monotonic() + _PATIENCE
    sent_at: int | None = None
    with _started(command, own, env, subprocess.DEVNULL) as process:
        while process.poll() is None and time.monotonic() < end:
            made = len(_fingerprints(log))
            if sent_at is None and outbox.exists() and outbox.stat().st_size:
                sent_at = made
            if sent_at is not None and made > sent_at + 1:
                return
            time.sleep(_LOOK_EVERY)
    raise LaunchError(f"the demo could not be killed in time; {command[-1]} ended by itself")


def _run(command: Sequence[str], own: Path, env: dict[str, str]) -> str:
    """Run the program to its end and return what it printed."""
    with _started(command, own, env, subprocess.PIPE) as process:
        assert process.stdout is not None
        output: str = process.stdout.read()
        status = process.wait(_PATIENCE)
    if status != 0:
        raise LaunchError(f"the demo's program failed with exit code {status}")
    return output


@contextlib.contextmanager
def _started(
    command: Sequence[str], own: Path, env: dict[str, str], stdout: int
) -> Generator[subprocess.Popen[str]]:
    """Run the program with its messages passed on; kill it at the end if it is still there."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=own, env=env, stdout=stdout, stderr=subprocess.PIPE, text=True
    )
    forwarding = threading.Thread(target=_forward, args=(process,))
    forwarding.start()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        forwarding.join()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _forward(process: subprocess.Popen[str]) -> None:
    """Pass messages on, but for the framework's remarks about the scripted model."""
    assert process.stderr is not None
    for line in process.stderr:
        if _REMARK not in line:
            click.echo(line, nl=False, err=True)


def _fingerprints(log: Path) -> list[str]:
    if not log.exists():
        return []
    lines = log.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line)["fingerprint"] for line in lines]


def _show(plain: Tally, durable: Tally) -> None:
    """Print the proof."""
    rows = [
        ("model requests, both runs together", plain.requests, durable.requests),
        ("  of these, paid for a second time", plain.twice, durable.twice),
        ("mails the customer got", plain.mails, durable.mails),
    ]
    click.secho(f"{'killed once, run again':<38}{'plain':>8}{'durably':>10}", bold=True)
    for label, before, after in rows:
        colour = "green" if after < before else None
        click.echo(f"{label:<38}{before:>8}" + click.style(f"{after:>10}", fg=colour))
    if durable.twice:
        click.echo(
            f"\n({durable.twice} request was on its way when the process was killed; its answer "
            "was never\nreceived, so it was asked for again. Every answer received was kept.)"
        )
