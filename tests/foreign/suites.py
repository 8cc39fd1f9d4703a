"""The suites of frameworks: where they lie in a checkout, and how they are run there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """A framework's own tests.

    Attributes:
        folder: Where pytest is started, below the checkout.
        tests: What is collected, below that.
        options: What pytest needs to be told.
        environment: What the tests need to find.
    """

    folder: str
    tests: tuple[str, ...]
    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def _autogen(package: str) -> Suite:
    return Suite(
        f"python/packages/{package}",
        ("tests",),
        environment=(("OPENAI_API_KEY", "none"),),
    )


SUITES = {
    "crewai": Suite(
        ".",
        ("lib/crewai/tests",),
        ("-n", "2", "--max-worker-restart=20", "-p", "no:randomly"),
        environment=(("LITELLM_LOCAL_MODEL_COST_MAP", "True"),),
    ),
    "autogen-agentchat": _autogen("autogen-agentchat"),
    "autogen-core": _autogen("autogen-core"),
    "autogen-ext": _autogen("autogen-ext"),
}
