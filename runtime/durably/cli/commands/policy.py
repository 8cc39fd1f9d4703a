"""``durably policy check``: what is put around which steps, and who says so."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ...errors import DurablyError
from ...hosting import Host, all_runs
from ...journal.records import StepEnded
from ...limits import ApprovalPolicy, ParkPolicy, RatePolicy
from ...policies import Config, Resolved, StepKind
from ...types import CachePolicy, RetryPolicy, TimeoutPolicy
from ..context import Loaded
from ..journal_location import is_missing, json_option, store_option
from ..output.screen import Screen
from ..output.text import as_json, duration, number, one_line, table
from ..policy_options import PolicyOptions, policy_options

_KINDS = ("model", "tool", "code", "memory")


@click.group()
def policy() -> None:
    """What is put around steps, by files and options."""


@policy.command()
@click.argument("script", required=False)
@policy_options
@store_option
@json_option
@click.pass_obj
def check(
    loaded: Loaded, /, script: str | None, store: str, *, as_json_text: bool, **options: Any
) -> int:
    """Show which policy each known step would get, and where each field comes from.

    Known are the steps of the journal's runs, and the kinds of step that adapters catch. SCRIPT
    says whose policies are meant; options are those of `durably run`. Exit code 1 if a policy
    fits no known step.
    """
    config = PolicyOptions(**options).over(Path(script) if script else None)
    is_new = is_missing(store)
    host = Host("memory:" if is_new else store, plugins=loaded.plugins, config=config)
    try:
        known = [*_recorded(host), *_caught(host)]
        found = [(step, host.policies.resolved(step)) for step in dict.fromkeys(known)]
    finally:
        host.close()
    idle = [
        f"{rule.origin}: {rule.match}"
        for rule in config.rules
        if not any(rule.match.fits(step) for step, _ in found if step.name or not rule.match.name)
    ]
    if as_json_text:
        click.echo(as_json(_json(config, found, idle)))
    else:
        _print(Screen(sys.stdout), config, found, idle)
    return 1 if idle else 0


def _recorded(host: Host) -> Iterable[StepKind]:
    """Yield the kinds of step that the journal's runs took."""
    for thread in dict.fromkeys(view.thread for view in all_runs(host.journal)):
        try:
            entries = host.journal.read(thread)
        except DurablyError:
            continue  # a damaged thread is doctor's to tell of
        for entry in entries:
            step = entry.record
            if isinstance(step, StepEnded):
                yield StepKind(step.adapter, step.kind, step.name, step.agent)


def _caught(host: Host) -> Iterable[StepKind]:
    """Yield the kinds of step that adapters catch; a step without a name is any other one."""
    for adapter in host.adapters:
        kinds = {seam.kind for seam in adapter.seams}
        for kind in _KINDS:
            if kind in kinds:
                yield StepKind(adapter.name, kind, "", "")


def _json(
    config: Config, found: list[tuple[StepKind, Resolved]], idle: list[str]
) -> dict[str, Any]:
    return {
        "v": 1,
        "file": str(config.path) if config.path else None,
        "budgets": [
            {"scope": one.scope, "usd": one.usd, "tokens": one.tokens} for one in config.budgets
        ],
        "steps": [
            {
                **step._asdict(),
                "policy": {
                    field: {"value": shown(said.value), "from": said.rule.origin}
                    for field, said in resolved.said.items()
                },
            }
            for step, resolved in found
        ],
        "unused": idle,
    }


def _print(
    screen: Screen, config: Config, found: list[tuple[StepKind, Resolved]], idle: list[str]
) -> None:
    screen.line(f"policies from {config.path}" if config.path else "no file with policies here")
    for limit in config.budgets:
        amounts = (f"${limit.usd:,.2f}" if limit.usd else "", _tokens(limit.tokens))
        screen.line(f"budget of each {limit.scope}: {', '.join(filter(None, amounts))}")
    rows: list[tuple[str, ...]] = [("KIND", "STEP", "AGENT", "ADAPTER", "FIELD", "VALUE", "FROM")]
    for step, resolved in found:
        place = (step.kind, step.name or "any other", step.agent or "", step.adapter)
        named = tuple(one_line(part, 32) for part in place)
        fields = resolved.said.items()
        for field, said in fields:
            rows.append((*named, field, one_line(shown(said.value), 40), said.rule.origin))
            named = ("", "", "", "")
        if not fields:
            rows.append((*named, "", "nothing", ""))
    screen.line()
    for index, line in enumerate(table(rows)):
        screen.line(screen.paint(line, bold=not index))
    for one in idle:
        mark = screen.paint(screen.marks.warning, "yellow")
        screen.line(f"{mark} fits no known step: {one}")


def _tokens(count: int | None) -> str:
    return f"{number(count)} tokens" if count else ""


def shown(value: Any) -> str:
    """Return a field's value in few words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    for kind, say in _WORDS.items():
        if isinstance(value, kind):
            return str(say(value))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _retry(value: RetryPolicy) -> str:
    return f"{value.max_attempts} attempts" if value.max_attempts > 1 else "no"


def _timeout(value: TimeoutPolicy) -> str:
    limits = (("", value.run_timeout), (" idle", value.idle_timeout))
    return ", ".join(
        f"{duration(float(limit))}{what}"  # type: ignore[arg-type]
        for what, limit in limits
        if limit is not None
    )


def _cache(value: CachePolicy) -> str:
    if value.ttl == 0:
        return "no"
    kept = "for ever" if value.ttl is None else f"for {duration(value.ttl)}"
    return f"{kept}, {value.scope}"


def _rate(value: RatePolicy) -> str:
    requests = f"{number(value.requests)} requests" if value.requests else ""
    return f"{', '.join(filter(None, (requests, _tokens(value.tokens))))} in {duration(value.per)}"


def _park(value: ParkPolicy) -> str:
    return f"park for {duration(value.first)} to {duration(value.longest)}"


def _approval(value: ApprovalPolicy) -> str:
    return ", ".join(value.allowed)


_WORDS: dict[type, Any] = {
    RetryPolicy: _retry,
    TimeoutPolicy: _timeout,
    CachePolicy: _cache,
    RatePolicy: _rate,
    ParkPolicy: _park,
    ApprovalPolicy: _approval,
}
