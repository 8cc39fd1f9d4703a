"""A thread's memory, state and history: read, edited, forked, forgotten."""

from __future__ import annotations

from typing import Any

from tests.parity.parity import parity, thread


def _counter(api):
    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int, previous: Any) -> int:
        return x + (previous or 0)

    return workflow


def _at(state) -> dict[str, Any]:
    return {"configurable": state.config["configurable"]}


@parity
def test_previous_is_what_the_last_run_returned(api, say):
    """A thread remembers; another thread does not."""
    workflow = _counter(api)
    say([workflow.invoke(n, thread()) for n in (1, 2, 3)])
    say(workflow.invoke(10, thread("u")))


@parity
def test_final_says_value_and_memory_apart(api, say):
    """The caller and the thread may get different things."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def accumulate(n: int, *, previous: Any) -> Any:
        previous = previous or 0
        return api.entrypoint.final(value=previous, save=previous + n)

    say([accumulate.invoke(n, thread()) for n in (1, 2, 3)])
    say(accumulate.get_state(thread()).values)


@parity
def test_final_may_save_none(api, say):
    """Saving None is saving."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(n: int, *, previous: Any) -> Any:
        return api.entrypoint.final(value=previous, save=n or None)

    say([workflow.invoke(n, thread()) for n in (1, 0, 2, 3)])


@parity
def test_no_memory_without_a_checkpointer(api, say):
    """``previous`` stays None."""

    @api.entrypoint()
    def workflow(n: int, *, previous: Any) -> Any:
        return previous

    say([workflow.invoke(n) for n in (1, 2)])


@parity
def test_runs_that_did_not_end_are_not_remembered(api, say):
    """Failed runs and waiting runs leave ``previous`` as it was."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: Any, previous: Any) -> Any:
        if x == "fail":
            raise ValueError("failed")
        if x == "wait":
            api.interrupt("?")
        return [x, previous]

    say(workflow.invoke("one", thread()))
    say.attempt(workflow.invoke, "fail", thread())
    workflow.invoke("wait", thread())
    say(workflow.invoke("two", thread()))


@parity
def test_the_state_of_a_thread(api, say):
    """Of one that never ran, and of one that did."""
    workflow = _counter(api)
    say(workflow.get_state(thread()))
    workflow.invoke(1, thread())
    say(workflow.get_state(thread()))


@parity
def test_the_history_of_a_thread(api, say):
    """Newest first: each run's beginning and end."""
    workflow = _counter(api)
    workflow.invoke(1, thread())
    workflow.invoke(2, thread())
    say(list(workflow.get_state_history(thread())))
    say(list(workflow.get_state_history(thread("never"))))


@parity
def test_the_history_in_parts(api, say):
    """By ``limit``, ``before`` and metadata."""
    workflow = _counter(api)
    for n in (1, 2, 3):
        config = {**thread(), "metadata": {"number": n}}
        workflow.invoke(n, config)
    states = list(workflow.get_state_history(thread()))
    say([one.values for one in workflow.get_state_history(thread(), limit=2)])
    say([one.values for one in workflow.get_state_history(thread(), before=states[2].config)])
    say([one.values for one in workflow.get_state_history(thread(), filter={"number": 2})])
    say([one.values for one in workflow.get_state_history(thread(), filter={"source": "loop"})])


@parity
def test_metadata_of_a_state(api, say):
    """The config's metadata, and what names the run, are told."""
    workflow = _counter(api)
    config = {
        "configurable": {"thread_id": "t", "user": "ann", "__hidden": 1},
        "metadata": {"ticket": 7, "big": [1]},
    }
    workflow.invoke(1, config)
    metadata = workflow.get_state(thread()).metadata
    say({key: metadata.get(key) for key in ("source", "step", "user", "ticket", "__hidden")})


@parity
def test_the_state_of_a_failed_run(api, say):
    """What is to be done next, and what it failed of."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        raise ValueError("broken")

    say.attempt(workflow.invoke, 1, thread())
    state = workflow.get_state(thread())
    say([state.next, state.values, [one.name for one in state.tasks]])
    error = state.tasks[0].error
    say(
        error if isinstance(error, str) else type(error).__name__,
        langgraph="ValueError('broken')",
        durably="ValueError",
        why="The error in a state is an exception",
    )


@parity
def test_a_state_at_a_checkpoint(api, say):
    """A ``checkpoint_id`` addresses an earlier moment."""
    workflow = _counter(api)
    for n in (1, 2):
        workflow.invoke(n, thread())
    states = list(workflow.get_state_history(thread()))
    for state in states:
        found = workflow.get_state(_at(state))
        say([found.values, found.next, found.config == state.config])


@parity
def test_editing_the_state(api, say):
    """An edit is what the thread returned and remembers."""
    workflow = _counter(api)
    workflow.invoke(1, thread())
    config = workflow.update_state(thread(), 100)
    say(workflow.get_state(thread()).values)
    say(workflow.get_state(config).values)
    say(workflow.invoke(5, thread()))
    say([one.metadata["source"] for one in workflow.get_state_history(thread())])


@parity
def test_editing_value_and_memory_apart(api, say):
    """An edit may say the two apart."""
    workflow = _counter(api)
    workflow.invoke(1, thread())
    workflow.update_state(thread(), api.entrypoint.final(value="shown", save=50))
    say(workflow.get_state(thread()).values)
    say(workflow.invoke(5, thread()))


@parity
def test_editing_a_thread_that_never_ran(api, say):
    """A thread may begin with an edit."""
    workflow = _counter(api)
    workflow.update_state(thread(), 7)
    say(workflow.get_state(thread()).values)
    say(workflow.invoke(1, thread()))


@parity
def test_editing_a_waiting_run_ends_it(api, say):
    """The edit stands for its end."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str, previous: Any) -> Any:
        return [api.interrupt(x), previous]

    workflow.invoke("x", thread())
    workflow.update_state(thread(), "edited")
    state = workflow.get_state(thread())
    say([state.values, state.next, state.interrupts])
    say(workflow.invoke(None, thread()))


@parity
async def test_the_asynchronous_methods(api, say):
    """``aget_state``, ``aget_state_history`` and ``aupdate_state``."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(x: int, previous: Any) -> int:
        return x + (previous or 0)

    await workflow.ainvoke(1, thread())
    await workflow.aupdate_state(thread(), 10)
    say((await workflow.aget_state(thread())).values)
    say(await workflow.ainvoke(1, thread()))
    say([one.values async for one in workflow.aget_state_history(thread())])


@parity
def test_none_on_a_finished_thread(api, say):
    """There is nothing to go on with: the value is told again."""
    calls: list[int] = []

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        calls.append(x)
        return x

    workflow.invoke(1, thread())
    say(workflow.invoke(None, thread()))
    say(calls)


@parity
def test_a_fork_with_another_input(api, say):
    """An earlier moment goes on with an input of its own, and its memory."""
    workflow = _counter(api)
    for n in (1, 2, 3):
        workflow.invoke(n, thread())
    first = next(one for one in workflow.get_state_history(thread()) if one.values == 1)
    ends = [one for one in workflow.get_state_history(thread()) if one.metadata["source"] == "loop"]
    say(workflow.invoke(100, _at(ends[-1])))
    say(workflow.get_state(thread()).values)
    say(first.values)


@parity
def test_executing_an_earlier_run_again(api, say):
    """``None`` at the beginning of a run executes it again."""
    calls: list[int] = []

    @api.task
    def work(x: int) -> int:
        calls.append(x)
        return x * 10

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int, previous: Any) -> list[Any]:
        return [work(x).result(), previous]

    workflow.invoke(1, thread())
    workflow.invoke(2, thread())
    begin = [one for one in workflow.get_state_history(thread()) if one.next][-1]
    say(workflow.invoke(None, _at(begin)))
    say(calls)
    say(workflow.get_state(thread()).metadata["source"])


@parity
def test_forgetting_a_thread(api, say):
    """``delete_thread`` leaves nothing of it."""
    saver = api.InMemorySaver()

    @api.entrypoint(checkpointer=saver)
    def workflow(x: int, previous: Any) -> Any:
        return [x, previous]

    workflow.invoke(1, thread())
    workflow.invoke(1, thread("other"))
    saver.delete_thread("t")
    say(workflow.get_state(thread()).values)
    say(list(workflow.get_state_history(thread())))
    say(workflow.invoke(2, thread()))
    say(workflow.get_state(thread("other")).values)


@parity
def test_two_workflows_on_one_saver(api, say):
    """They may share a checkpointer, each on threads of its own."""
    saver = api.InMemorySaver()

    @api.entrypoint(checkpointer=saver)
    def one(x: int, previous: Any) -> Any:
        return ["one", x, previous]

    @api.entrypoint(checkpointer=saver)
    def two(x: int, previous: Any) -> Any:
        return ["two", x, previous]

    say(one.invoke(1, thread("a")))
    say(two.invoke(2, thread("b")))
    say([one.get_state(thread("a")).values, two.get_state(thread("b")).values])


@parity
def test_a_number_as_a_thread_id(api, say):
    """A thread id may be a number."""
    workflow = _counter(api)
    config = {"configurable": {"thread_id": 1}}
    say(workflow.invoke(1, config))
    say(workflow.invoke(1, config))


@parity
def test_every_durability(api, say):
    """The modes change when things are written, not what they are."""
    for mode in ("sync", "async", "exit"):
        calls: list[int] = []

        @api.task
        def work(x: int, calls=calls) -> int:
            return x + 1

        @api.entrypoint(checkpointer=api.InMemorySaver())
        def workflow(x: int, previous: Any) -> Any:
            return [work(x).result(), api.interrupt("?"), previous]

        say(workflow.invoke(1, thread(), durability=mode))
        say(workflow.invoke(api.Command(resume="ok"), thread(), durability=mode))
        say(workflow.get_state(thread()).values)


@parity
def test_a_chatbot(api, say):
    """The documentation's: messages grow in the thread."""

    @api.task
    def model(messages: list) -> dict:
        return {"role": "ai", "content": f"heard {len(messages)}"}

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(inputs: list, *, previous: Any) -> Any:
        messages = [*(previous or []), *inputs]
        answer = model(messages).result()
        return api.entrypoint.final(value=answer, save=[*messages, answer])

    for text in ("hi", "what's my name?"):
        given = [{"role": "user", "content": text}]
        say(list(workflow.stream(given, thread(), stream_mode="values")))


@parity
def test_long_term_memory(api, say):
    """The documentation's: a store shared by threads, by the user's id."""
    store = api.InMemoryStore()

    @api.task
    def remember(text: str) -> str:
        space = ("memories", api.get_config()["configurable"]["user_id"])
        found = api.get_store().search(space)
        api.get_store().put(space, str(len(found)), {"data": text})
        return "\n".join(one.value["data"] for one in found)

    @api.entrypoint(checkpointer=api.InMemorySaver(), store=store)
    def workflow(text: str, *, store) -> list[Any]:
        return [remember(text).result(), len(store.search(("memories",)))]

    def config(number: int, user: str) -> dict:
        return {"configurable": {"thread_id": str(number), "user_id": user}}

    say(workflow.invoke("I am Bob", config(1, "1")))
    say(workflow.invoke("Who am I?", config(2, "1")))
    say(workflow.invoke("Who am I?", config(3, "2")))
