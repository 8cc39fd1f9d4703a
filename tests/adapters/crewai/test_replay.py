"""The same program plain, durable and replayed: the same output and cost, nothing asked twice."""

from __future__ import annotations

import asyncio
import threading

import pytest
from crewai import BaseLLM

import durably
from durably.hosting import fold
from durably.testing import Reply, Rule, When
from durably.testing.demos import crew_script

from .programs import (
    CALLS,
    CONFIG,
    INPUTS,
    SEND_SCRIPT,
    Echo,
    Sends,
    agent,
    connect,
    crew,
    demo_crew,
    model,
    task,
    told,
)


def kickoff(one):
    return one.kickoff(inputs=INPUTS)


def kickoff_async(one):
    return asyncio.run(one.kickoff_async(inputs=INPUTS))


def akickoff(one):
    return asyncio.run(one.akickoff(inputs=INPUTS))


KICKOFFS = [kickoff, kickoff_async, akickoff]


def program(begin, make):
    """Return an entrypoint that makes a crew and kicks it off, as a script would."""

    def main(_):
        return begin(make())

    return main


def journaled(host, thread="t1"):
    """Return the number of steps that a thread's journal holds."""
    records = [entry.record for entry in host.journal.read(thread)]
    return sum(type(record).__name__ == "StepEnded" for record in records)


@pytest.mark.with_crewai(">=1.15", "results of tools were cached")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("begin", KICKOFFS)
def test_a_crew_replays_its_output_and_its_cost(host, serve, outbox, begin, stream):
    """However a crew is kicked off, a replay costs no request and gives the same output."""
    plain_server = serve(crew_script())
    plain = told(begin(demo_crew(stream=stream)))

    server = serve(crew_script())
    main = durably.entrypoint(checkpointer=host)(program(begin, lambda: demo_crew(stream=stream)))
    durable = main.invoke(1, CONFIG)
    assert told(durable) == plain
    assert server.counts == plain_server.counts
    assert {request.stream for request in server.requests} == {stream}

    replayed = main.invoke(None, CONFIG)
    assert told(replayed) == plain
    assert (server.count(), journaled(host)) == (7, 11)
    assert outbox.read_text().count("ada@example.com") == 2


@pytest.mark.with_crewai(">=1.14", "agents went on with old messages")
def test_a_wrapped_crew_replays_in_the_same_process(host, serve, outbox):
    """A wrapped crew object is left so that the same run can be replayed with it."""
    server, one = serve(crew_script()), demo_crew()
    wrapped = durably.wrap(one, checkpointer=host)
    first = wrapped.invoke(INPUTS, CONFIG)
    again = wrapped.invoke(None, CONFIG)
    assert (again.raw, server.count()) == (first.raw, 7)
    assert one.tasks[0].description == "Look up order {order} and the policy that applies to it."
    assert len(outbox.read_text().splitlines()) == 1


@pytest.mark.with_crewai(">=1.14", "agents went on with old messages")
async def test_a_wrapped_crew_is_awaited(host, serve, outbox):
    """With ainvoke a crew runs in the running loop, and replays it with a new object."""
    server = serve(crew_script())
    first = await durably.wrap(demo_crew(), checkpointer=host).ainvoke(INPUTS, CONFIG)
    again = await durably.wrap(demo_crew(), checkpointer=host).ainvoke(None, CONFIG)
    assert told(again) == told(first)
    assert (server.count(), len(outbox.read_text().splitlines())) == (7, 1)


def test_tokens_are_streamed_live_and_not_on_replay(host, serve):
    """Parts of mode messages are the tokens and who they come from; a replay is one part."""
    serve([Rule(When(), Reply.text("One two three four five."))])

    def made():
        return durably.wrap(crew(task("Count.", agent(llm=model(stream=True)))), checkpointer=host)

    parts = list(made().stream({}, CONFIG, stream_mode="messages"))
    assert "".join(text for text, _ in parts) == "One two three four five."
    assert {(about["agent"], about["model"]) for _, about in parts} == {("Worker", "gpt-4o-mini")}
    assert len(parts) > 1
    again = list(made().stream(None, CONFIG, stream_mode="messages"))
    assert [(text, about["kind"]) for text, about in again] == [("", "replayed")]


def test_a_crew_that_streams_is_run_to_its_end(host, serve):
    """A wrapped Crew(stream=True) returns its result, live and replayed."""
    server = serve([Rule(When(), Reply.text("Done."))])

    def made():
        return durably.wrap(crew(task("Work.", agent()), stream=True), checkpointer=host)

    first = made().invoke({}, CONFIG)
    assert (first.raw, made().invoke(None, CONFIG).raw, server.count()) == ("Done.", "Done.", 1)


def test_an_agents_retry_repeats_no_tool(host, serve):
    """When CrewAI starts an agent's turn again after HTTP 500, what was sent is not sent again."""
    failing = Rule(When(tool="send"), Reply.error(500), times=2)
    server, sends = serve([failing, *SEND_SCRIPT]), Sends()
    one = crew(task("Send hello.", agent(tools=[sends])))
    output = durably.wrap(one, checkpointer=host).invoke({}, CONFIG)
    assert (output.raw, sends.sent) == ("It was sent.", ["hello"])
    assert server.count() == 4


def test_a_failed_run_goes_on_where_it_failed(host, serve):
    """After three failures the run ends; the next invoke asks only what had failed."""
    failing = Rule(When(tool="send"), Reply.error(500), times=3)
    server, sends = serve([failing, *SEND_SCRIPT]), Sends()
    wrapped = durably.wrap(crew(task("Send hello.", agent(tools=[sends]))), checkpointer=host)
    with pytest.raises(Exception, match="500"):
        wrapped.invoke({}, CONFIG)
    assert wrapped.invoke(None, CONFIG).raw == "It was sent."
    assert (server.count(), sends.sent) == (5, ["hello"])


def test_a_rate_limit_is_waited_for_inside_one_step(host, serve):
    """Retries by CrewAI and the SDK after HTTP 429 are one step with one answer."""
    limited = Rule(When(), Reply.error(429, retry_after=0), times=1)
    server = serve([limited, Rule(When(), Reply.text("Done."))])
    made = crew(task("Work.", agent(llm=model(max_retries=2))))
    assert durably.wrap(made, checkpointer=host).invoke({}, CONFIG).raw == "Done."
    assert (server.count(), journaled(host)) == (2, 1)


def test_a_model_class_defined_late_is_caught(host):
    """A BaseLLM of the user's own, defined after durably began, is journaled like the others."""
    host.activate()

    class Late(BaseLLM):
        def call(self, messages, tools=None, callbacks=None, available_functions=None, **kwargs):
            CALLS.append("late")
            return "late"

    CALLS.clear()
    for given in ({}, None):
        made = crew(task("Work.", agent(llm=Late(model="late"))))
        assert durably.wrap(made, checkpointer=host).invoke(given, CONFIG).raw == "late"
    assert CALLS == ["late"]


def test_an_answer_that_crewai_rejects_is_asked_for_again(host):
    """CrewAI retries a turn whose model said nothing; it is asked again and not replayed."""

    class Shy(BaseLLM):
        def call(self, messages, tools=None, callbacks=None, available_functions=None, **kwargs):
            CALLS.append("shy")
            return "" if len(CALLS) == 1 else "Here I am."

    CALLS.clear()
    for given in ({}, None):
        made = crew(task("Work.", agent(llm=Shy(model="shy"))))
        assert durably.wrap(made, checkpointer=host).invoke(given, CONFIG).raw == "Here I am."
    assert CALLS == ["shy"] * 2


def test_a_call_through_super_is_one_step(host):
    """A model class that calls its base class is one step, not two."""

    class Loud(Echo):
        def call(self, messages, *args, **kwargs):
            return super().call(messages, *args, **kwargs).upper()

    made = crew(task("Work.", agent(llm=Loud(model="loud"))))
    assert durably.wrap(made, checkpointer=host).invoke({}, CONFIG).raw == "ECHO"
    assert journaled(host) == 1


def test_runs_in_threads_do_not_meet(serve, tmp_path):
    """Two durable runs and a plain crew at the same time each see their own steps only."""
    script = [Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.")) for n in range(3)]
    server, seen = serve(script), {}
    host = durably.Host(f"sqlite:///{tmp_path}/j.db")

    def work(n):
        made = crew(task(f"Work {n}.", agent()))
        config = {"configurable": {"thread_id": f"t{n}"}}
        wrapped = durably.wrap(made, checkpointer=host) if n else None
        seen[n] = (wrapped.invoke({}, config) if wrapped else made.kickoff()).raw

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {n: f"Done {n}." for n in range(3)}
    assert (server.count(), journaled(host), journaled(host, "t1"), journaled(host, "t2")) == (
        3,
        1,
        1,
        1,
    )
    host.close()


def test_one_crew_serves_runs_at_the_same_time(host, serve):
    """While a run holds a crew, another run of the same wrapped object gets a copy of it."""
    script = [
        Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.").delayed(0.2)) for n in "ab"
    ]
    serve(script)
    wrapped, seen = durably.wrap(crew(task("Work {n}.", agent())), checkpointer=host), {}

    def work(n):
        seen[n] = wrapped.invoke({"n": n}, {"configurable": {"thread_id": n}}).raw

    threads = [threading.Thread(target=work, args=(n,)) for n in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": "Done a.", "b": "Done b."}


def test_a_result_that_cannot_be_written_is_kept_as_its_text(host, serve):
    """The model is shown a tool's result as text, so the text is what a replay needs."""
    script = [
        Rule(When(tool="connect", result="ExitStack"), Reply.text("Connected.")),
        Rule(When(turns=0), Reply.tool("connect", {"name": "db"})),
    ]
    server = serve(script)
    for given in ({}, None):
        made = crew(task("Connect.", agent(tools=[connect])))
        assert durably.wrap(made, checkpointer=host).invoke(given, CONFIG).raw == "Connected."
    assert server.count() == 2


def test_a_tools_limit_counts_replayed_uses(host, serve):
    """A tool that may be used once is used up by a replayed use, too."""
    script = [
        Rule(When(tool="send", result="limit"), Reply.text("No more.")),
        Rule(When(tool="send"), Reply.tool("send", {"text": "again"})),
        Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
    ]
    server = serve(script)
    for given in ({}, None):
        sends = Sends(max_usage_count=1)
        made = crew(task("Send twice.", agent(tools=[sends])))
        assert durably.wrap(made, checkpointer=host).invoke(given, CONFIG).raw == "No more."
        assert sends.current_usage_count == 1
    assert server.count() == 3


def test_parallel_tool_calls_replay(host, serve):
    """Tool calls that one answer asks for side by side are found again, equal ones included."""
    calls = [("send", {"text": text}) for text in ("a", "b", "a")]
    script = [
        Rule(When(tool="send"), Reply.text("All sent.")),
        Rule(When(turns=0), Reply.tools(*calls)),
    ]
    server, sends = serve(script), Sends()
    for given in ({}, None):
        made = crew(task("Send all.", agent(tools=[sends])))
        assert durably.wrap(made, checkpointer=host).invoke(given, CONFIG).raw == "All sent."
    assert (sorted(sends.sent), server.count(), journaled(host)) == (["a", "a", "b"], 2, 5)


def test_tool_calls_written_as_text_replay(host):
    """A model without function calling asks for tools in its text; these are steps as well."""

    class Writes(Echo):
        def call(self, messages, *args, **kwargs):
            CALLS.append(self.model)
            if "sent hello" in str(messages):
                return "Thought: I now know the final answer\nFinal Answer: It was sent."
            return 'Thought: send\nAction: send\nAction Input: {"text": "hello"}\n'

    CALLS.clear()
    sends = Sends()
    for given in ({}, None):
        made = crew(task("Send hello.", agent(llm=Writes(model="writes"), tools=[sends])))
        assert durably.wrap(made, checkpointer=host).invoke(given, CONFIG).raw == "It was sent."
    assert (sends.sent, CALLS, journaled(host)) == (["hello"], ["writes", "writes"], 3)


def test_totals_of_a_shared_model_are_exact(host, serve):
    """Tasks that run at the same time with one model object replay to the same totals."""
    script = [Rule(When(anywhere=f"Work {n}."), Reply.text("Done.").delayed(0.1)) for n in range(3)]
    serve(script)

    def made():
        shared = model()
        works = [
            task(f"Work {n}.", agent(f"Worker {n}", llm=shared), async_execution=n < 2)
            for n in range(3)
        ]
        return durably.wrap(crew(*works), checkpointer=host)

    first = made().invoke({}, CONFIG)
    again = made().invoke(None, CONFIG)
    assert told(again) == told(first)


def test_crews_for_each_input_keep_apart(host, serve):
    """Copies that kickoff_for_each_async runs side by side have steps of their own."""
    script = [Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.")) for n in "abc"]
    server = serve(script)

    @durably.entrypoint(checkpointer=host)
    def main(_):
        one = crew(task("Work {n}.", agent()))
        outputs = asyncio.run(one.kickoff_for_each_async([{"n": n} for n in "abc"]))
        return [output.raw for output in outputs]

    assert main.invoke(1, CONFIG) == ["Done a.", "Done b.", "Done c."]
    assert main.invoke(None, CONFIG) == ["Done a.", "Done b.", "Done c."]
    assert server.count() == 3


def test_an_agent_alone_replays(host, serve):
    """An agent without a crew is wrapped, too; its input is a message."""
    server = serve([Rule(When(user="Hello"), Reply.text("Hello yourself."))])
    for given in ("Hello", None):
        output = durably.wrap(agent(), checkpointer=host).invoke(given, CONFIG)
        assert output.raw == "Hello yourself."
    assert server.count() == 1


@pytest.mark.with_crewai(">=1.14", "agents went on with old messages")
def test_a_thread_has_one_run_for_each_input(host, serve):
    """Invoking with new inputs begins a new run, whose steps are its own."""
    script = [Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.")) for n in "ab"]
    server, wrapped = serve(script), None
    wrapped = durably.wrap(crew(task("Work {n}.", agent())), checkpointer=host)
    said = [wrapped.invoke({"n": n}, CONFIG).raw for n in "ab"]
    views = fold(("t1", entry) for entry in host.journal.read("t1"))
    assert (said, server.count(), len(views)) == (["Done a.", "Done b."], 2, 2)
