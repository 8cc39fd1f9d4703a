"""What goes wrong on the way: errors that pass, limits on requests, hooks that edit or refuse."""

from __future__ import annotations

from crewai.hooks import (
    after_llm_call,
    after_tool_call,
    before_llm_call,
    before_tool_call,
    clear_all_global_hooks,
)

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, model, sends, task, told
from ..ways import Feature

SENT = Rule(When(tool="send", result="sent hello"), Reply.text("It was sent."))
SENDS = [SENT, Rule(When(turns=0), Reply.tool("send", {"text": "hello"}))]


def send(effect, **more):
    return told(crew(task("Send hello.", agent(tools=[sends(effect)], **more))).kickoff())


def errors_that_pass(effect):
    """The agent's turn is begun again, and what was sent stays sent."""
    return send(effect)[0]


def rate_limits(effect):
    return send(effect, llm=model(max_retries=2))


def a_failing_task_is_caught(effect):
    """A program may go on with something else when a crew fails."""
    try:
        return send(effect)
    except Exception as error:
        return type(error).__name__, told(crew(task("Work b.", agent("b"))).kickoff())[0]


def _with_hooks(effect, *hooks):
    try:
        for register, hook in hooks:
            register(hook)
        return send(effect)
    finally:
        clear_all_global_hooks()


def hooks_that_edit(effect):
    def louder(context):
        context.tool_input["text"] = context.tool_input["text"].lower()

    def shorter(context):
        return f"{context.tool_result}."

    return _with_hooks(effect, (before_tool_call, louder), (after_tool_call, shorter))


def hook_that_blocks(effect):
    return _with_hooks(effect, (before_tool_call, lambda context: False))


def hooks_around_models(effect):
    def told_more(context):
        context.messages.append({"role": "user", "content": "Be brief."})

    return _with_hooks(effect, (before_llm_call, told_more), (after_llm_call, lambda context: None))


def hook_that_blocks_a_model(effect):
    try:
        return _with_hooks(effect, (before_llm_call, lambda context: False))
    except Exception as error:
        return type(error).__name__


FEATURES = [
    Feature(
        errors_that_pass,
        lambda: [Rule(When(tool="send"), Reply.error(500), times=2), *SENDS],
        better=True,
    ),
    Feature(
        rate_limits,
        lambda: [Rule(When(tool="send"), Reply.error(429, retry_after=0), times=2), *SENDS],
    ),
    Feature(
        a_failing_task_is_caught,
        [
            Rule(When(anywhere="Work b."), Reply.text("Done b.")),
            Rule(When(tool="send"), Reply.error(400)),
            SENDS[1],
        ],
        better=True,
    ),
    Feature(hooks_that_edit, SENDS),
    Feature(
        hook_that_blocks, [Rule(When(tool="send"), Reply.text("I was not allowed to.")), SENDS[1]]
    ),
    Feature(hooks_around_models, SENDS),
    Feature(hook_that_blocks_a_model, SENDS),
]
