"""Each of CrewAI's model classes, with a tool and an answer, whole and streamed."""

from __future__ import annotations

from crewai import LLM
from crewai.tools import tool

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, task, told
from ..ways import Feature

SCRIPT = [
    Rule(When(tool="send"), Reply.text("It was sent.")),
    Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
]


def openai_responses_streamed(effect):
    llm = LLM(model="gpt-4o-mini", api="responses", stream=True)
    output = crew(task("Send hello.", agent(llm=llm))).kickoff()
    return told(output), llm.get_token_usage_summary().model_dump()


def _program(name, **settings):
    def program(effect):
        @tool("send")
        def send(text: str) -> str:
            """Send a text."""
            return f"sent {effect(text)}"

        llm = LLM(**settings)
        output = crew(task("Send hello.", agent(llm=llm, tools=[send]))).kickoff()
        return told(output), llm.get_token_usage_summary().model_dump()

    program.__name__ = name
    return program


def _feature(name, needs="openai", since="1.12", **settings):
    return Feature(_program(name, **settings), SCRIPT, needs=needs, since=since)


FEATURES = [
    _feature("openai_chat_streamed", model="gpt-4o-mini", stream=True),
    _feature("openai_responses", model="gpt-4o-mini", api="responses"),
    # CrewAI itself loses the tool calls of a streamed response.
    Feature(openai_responses_streamed, [Rule(When(), Reply.text("It was sent."))]),
    _feature("openai_responses_chained", model="gpt-4o-mini", api="responses", auto_chain=True),
    _feature("anthropic", "anthropic", model="anthropic/claude-sonnet-4-5"),
    _feature("anthropic_streamed", "anthropic", model="anthropic/claude-sonnet-4-5", stream=True),
    _feature("gemini", "google.genai", model="gemini/gemini-2.5-flash"),
    _feature("gemini_streamed", "google.genai", model="gemini/gemini-2.5-flash", stream=True),
    _feature("azure", "azure.ai.inference", model="azure/gpt-4o-mini"),
    _feature("azure_streamed", "azure.ai.inference", model="azure/gpt-4o-mini", stream=True),
    _feature("bedrock", "boto3", model="bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0"),
    _feature("litellm", "litellm", model="openai/gpt-4o-mini", is_litellm=True),
    # In 1.12 CrewAI itself loses the tool calls of a streamed response.
    _feature(
        "litellm_streamed",
        "litellm",
        since="1.14",
        model="openai/gpt-4o-mini",
        is_litellm=True,
        stream=True,
    ),
    _feature("openai_compatible", model="deepseek/deepseek-chat", api_key="any"),
]
