"""CrewAI, made durable: crews, agents and flows run unchanged and survive a kill at any moment.

Model calls, tool calls and people's answers are steps; crews, tasks and agents' turns are spans
that are executed again when a run continues. Nothing of CrewAI is imported until a program does.

CrewAI's anonymous telemetry is not sent from a process in which durably is at work unless the
environment says something about it: any value of ``CREWAI_DISABLE_TELEMETRY``,
``CREWAI_DISABLE_TRACKING`` or ``OTEL_SDK_DISABLED`` is respected, ``false`` included. So it is
with its look for a newer version (``CREWAI_DISABLE_VERSION_CHECK``). Nobody is asked in a run if
traces may be sent; tracing that a program or the environment has switched on goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from durably.adapting import Adapter, Entry, Seam, TypeCodec, hookimpl, supported_versions

from ._seams import SEAMS
from ._values import CODECS
from ._wrap import entry_of, kind_of


class CrewAIAdapter(Adapter):
    """Catches CrewAI's model calls, tool calls and questions, and runs its objects."""

    name: ClassVar[str] = "crewai"
    distribution: ClassVar[str] = "crewai"
    requires: ClassVar[str] = supported_versions("crewai", ">=1.12,<2")
    seams: ClassVar[Sequence[Seam]] = SEAMS
    allow: ClassVar[Sequence[str]] = (
        "crewai",
        "openai.types",
        "anthropic.types",
        "google.genai.types",
        "litellm.types.utils",
        "a2a.types",
    )
    codecs: ClassVar[Sequence[TypeCodec[Any]]] = CODECS

    def claims(self, target: object) -> bool:
        """Say whether *target* is a crew, a flow or an agent of CrewAI."""
        return kind_of(target) is not None

    def entry(self, target: Any) -> Entry:
        """Return how a run of *target* is begun: ``kickoff``, or its asynchronous forms.

        A crew and a flow are invoked with their inputs, an agent with a message or a list of
        messages. A crew is left as it was found: texts into which CrewAI writes inputs and plans
        are put back, so that it can be invoked again, for the same run too. While one run holds a
        crew, others get copies of it.
        """
        return entry_of(target)


@hookimpl
def register_adapters() -> list[Adapter]:
    """Offer the adapter."""
    return [CrewAIAdapter()]
