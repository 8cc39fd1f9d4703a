"""Pauses that a caller asks for, and what is shown while a run waits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from tests.parity.parity import parity, thread


def _counting(api: Any, calls: list[int]) -> Any:
    @api.task
    def work(x: int) -> int:
        calls.append(x)
        return x + 1

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def main(x: int) -> int:
        return work(x).result()

    return main


@parity
def test_interrupt_before(api, say):
    """The run begins and is not executed; None continues it."""
    calls: list[int] = []
    main = _counting(api, calls)
    for number, names in enumerate((["main"], "*", ["other"], [])):
        config = thread(f"{number}")
        say(main.invoke(1, config, interrupt_before=names))
        say(main.get_state(config).next)
        say(main.invoke(None, config, interrupt_before=names))
        for modes in ("updates", ["values", "updates"]):
            say(list(main.stream(1, config, stream_mode=modes, interrupt_before=names)))
        output = main.invoke(1, config, interrupt_before=names, version="v2")
        say((output.value, output.interrupts))
    say(calls)


@parity
def test_interrupt_after(api, say):
    """The run is done; its stream tells of the pause."""
    calls: list[int] = []
    main = _counting(api, calls)
    for number, names in enumerate((["main"], "*", ["other"])):
        config = thread(f"{number}")
        say(main.invoke(1, config, interrupt_after=names))
        say(main.get_state(config).next)
        for modes in ("updates", ["values", "updates"]):
            say(list(main.stream(1, config, stream_mode=modes, interrupt_after=names)))
    say(calls)


@parity
async def test_pauses_of_coroutines(api, say):
    """Ainvoke and astream take them too."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def main(x: int) -> int:
        return x + 1

    say(await main.ainvoke(1, thread(), interrupt_before="*"))
    say(await main.ainvoke(None, thread()))
    say([part async for part in main.astream(1, thread(), interrupt_after="*")])


@parity
def test_values_while_a_run_waits(api, say):
    """What the thread had saved, with the questions; a value that is no dict is left out."""
    for number, saved in enumerate(({"a": 1}, 5, [1], "text", None)):

        @api.entrypoint(checkpointer=api.InMemorySaver())
        def main(x: int, saved: Any = saved) -> Any:
            return saved if x == 1 else {"answer": api.interrupt("ok?")}

        config = thread(f"{number}")
        main.invoke(1, config)
        say(main.invoke(2, config))
        for modes in ("values", "updates", ["values", "updates"]):
            say(list(main.stream(2, config, stream_mode=modes)))
        say(list(main.stream(2, config, stream_mode="values", version="v2")))
        say(list(main.stream(api.Command(resume="yes"), config, stream_mode="values")))


@parity
def test_thread_ids_that_are_no_text(api, say):
    """A UUID or a number names the thread of its text."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def main(x: int, *, previous: Any = None) -> list[Any]:
        return [previous, x]

    for given in (uuid.UUID(int=1), 5, 5.5):
        config = {"configurable": {"thread_id": given}}
        say(main.invoke(1, config))
        say(main.invoke(2, thread(str(given))))
        say(main.get_state(config).values)


@parity
def test_the_schema_of_a_context(api, say):
    """A dataclass's JSON schema, and none without one."""

    @dataclass
    class Context:
        model: str
        depth: int = 2

    def main(x: int) -> int:
        return x

    for schema in (Context, None):
        say(api.entrypoint(context_schema=schema)(main).get_context_jsonschema())
    say.attempt(lambda: api.entrypoint(context_schema=int)(main).get_context_jsonschema())


@parity
def test_declarations_that_cannot_be(api, say):
    """A checkpointer that is none, a limit of zero."""

    async def main(x: int) -> int:
        return x

    for wrong in (5, {}, object(), api.InMemorySaver):
        say.attempt(lambda wrong=wrong: api.entrypoint(checkpointer=wrong)(main))
    for wrong in (0, -1, api.TimeoutPolicy(idle_timeout=0)):
        say.attempt(lambda wrong=wrong: api.entrypoint(timeout=wrong)(main))
    for limit in (0, -1):
        config = {**thread(), "recursion_limit": limit}
        say.attempt(api.entrypoint(checkpointer=api.InMemorySaver())(lambda x: x).invoke, 1, config)


@parity
def test_attempts_are_counted_anew_behind_a_question(api, say):
    """Two failures before it and two behind it leave the third attempt."""
    failures: list[int] = []
    policy = api.RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)

    @api.task(retry_policy=policy)
    def flaky() -> Any:
        if len(failures) % 3 < 2:
            failures.append(1)
            raise ConnectionError
        answer = api.interrupt("ok?")
        return [answer, len(failures)]

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def main(_: int) -> Any:
        return flaky().result()

    say(main.invoke(1, thread()))
    failures.append(1)
    say(main.invoke(api.Command(resume="yes"), thread()))
