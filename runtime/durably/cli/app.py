"""The group of commands: ours, and those that plug-ins add."""

from __future__ import annotations

import click

from .commands.answer import approve, reject, respond
from .commands.approvals import approvals
from .commands.demo import demo
from .commands.doctor import doctor
from .commands.exec import exec_
from .commands.plugins import plugins
from .commands.policy import policy
from .commands.prune import prune
from .commands.resume import resume
from .commands.run import run
from .commands.runs import runs
from .commands.show import show
from .commands.tail import tail
from .context import Loaded

_OURS = (
    run,
    exec_,
    runs,
    show,
    tail,
    resume,
    approvals,
    respond,
    approve,
    reject,
    prune,
    policy,
    plugins,
    doctor,
    demo,
)


class Commands(click.Group):
    """The ``durably`` command; plug-ins are asked only for commands that are not built in."""

    def __init__(self) -> None:
        super().__init__(
            name="durably",
            help="Make agent programs durable: kill them anywhere, run them again, "
            "and nothing is paid or done twice.",
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        click.version_option(package_name="durably", prog_name="durably")(self)
        for command in _OURS:
            self.add_command(command)
        self._trouble = ""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a built-in command or, failing that, a plug-in's."""
        return self.commands.get(cmd_name) or self._foreign(ctx).get(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name: ours in order of use, then the plug-ins'."""
        return [*self.commands, *sorted(self._foreign(ctx).keys() - self.commands.keys())]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; if there is none, say which plug-ins could not be asked."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message}{self._trouble}", error.ctx) from None

    def _foreign(self, ctx: click.Context) -> dict[str, click.Command]:
        loaded = ctx.find_object(Loaded) or Loaded()
        found = click.Group()
        try:
            loaded.plugins.add_commands(found)
        except Exception as error:
            self._trouble = f" A plug-in could not add its commands: {error!r}."
        for name, why in loaded.plugins.broken.items():
            self._trouble += f" Plug-in {name} failed to load: {why}."
        return dict(found.commands)
