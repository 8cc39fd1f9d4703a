"""The table of CrewAI's seams: every place where a step, a span or a question is caught."""

from __future__ import annotations

from durably.adapting import Seam

from . import _a2a as _remote
from . import _artifact_ids as _artifacts
from . import _callbacks, _memory, _providers, _spans, _tools
from . import _parallel as _branches
from . import _questions as _human
from . import _telemetry_and_tokens as _support
from .flows import _kickoff as _flows
from .flows import _methods, _persistence
from .flows import _questions as _flow_people
from .models import _calls as _models

_PAID = "paid model calls are repeated"
_RECALLED = "what a store says when it is asked again goes into prompts, which then differ"
_EMBEDDED = "knowledge is embedded again"
_CALLED = "guardrails are called again"
_DONE = "tools are run again"
_HANGS = "a question in a task with async_execution=True makes the crew hang"
_LANES = "the steps of different tasks and agents are told apart by their order only"
_TERMINAL = "the question is asked at the terminal and its answer is lost with the process"

_MODEL = "crewai.llms.base_llm:BaseLLM"
_AGENT = "crewai.agents.agent_builder.base_agent:BaseAgent"
_LONE_AGENT = "crewai.agent.core:Agent"
_PROVIDER = "crewai.core.providers.human_input:SyncHumanInputProvider"
_MEMORY = "crewai.memory.unified_memory:Memory"
_KNOWLEDGE = "crewai.knowledge.knowledge:Knowledge"
_PERSISTENCE = "crewai.flow.persistence.base:FlowPersistence"
_TOOL = "crewai.tools.structured_tool:CrewStructuredTool"
_A2A = "crewai.a2a"

MODELS = (
    Seam(f"{_MODEL}.call", "model", _models.call, _PAID, subclasses=True),
    Seam(f"{_MODEL}.acall", "model", _models.acall, _PAID, subclasses=True),
    Seam(
        f"{_MODEL}._track_token_usage_internal",
        "support",
        _models.track,
        "token totals are too small after a replay",
        subclasses=True,
    ),
    Seam(
        f"{_MODEL}.get_input_tokens_count",
        "memory",
        _models.count_tokens,
        "tokens are counted at the provider again",
        subclasses=True,
        optional=True,
        since="1.15",
    ),
    Seam(
        "crewai.utilities.internal_instructor:InternalInstructor.to_pydantic",
        "model",
        _models.to_pydantic,
        _PAID,
    ),
)

TOOLS = (
    Seam("crewai.tools.base_tool:BaseTool.run", "tool", _tools.run, _DONE, subclasses=True),
    Seam("crewai.tools.base_tool:BaseTool.arun", "tool", _tools.arun, _DONE, subclasses=True),
    Seam(f"{_TOOL}.invoke", "tool", _tools.invoke, _DONE, params=("input",)),
    Seam(f"{_TOOL}.ainvoke", "tool", _tools.ainvoke, _DONE, params=("input",)),
)

REMOTE = (
    Seam(
        f"{_A2A}.utils.delegation:_aexecute_a2a_delegation_impl",
        "tool",
        _remote.delegate,
        "agents elsewhere are asked again",
        params=("endpoint", "task_description"),
    ),
    Seam(f"{_A2A}.wrapper:fetch_agent_card", "memory", _remote.fetch_card, _RECALLED),
    Seam(f"{_A2A}.wrapper:afetch_agent_card", "memory", _remote.afetch_card, _RECALLED),
)

SPANS = (
    Seam("crewai.crew:Crew.kickoff", "team", _spans.kickoff, _LANES, params=("inputs",)),
    Seam("crewai.crew:Crew.kickoff_async", "team", _spans.akickoff, _LANES, params=("inputs",)),
    Seam(
        "crewai.crew:Crew.akickoff",
        "team",
        _spans.akickoff,
        _LANES,
        params=("inputs",),
        optional=True,
        since="1.8",
    ),
    Seam("crewai.task:Task._execute_core", "task", _spans.execute_core, _LANES),
    Seam("crewai.task:Task._aexecute_core", "task", _spans.aexecute_core, _LANES),
    Seam(f"{_AGENT}.execute_task", "agent", _spans.execute_task, _LANES, subclasses=True),
    Seam(f"{_AGENT}.aexecute_task", "agent", _spans.aexecute_task, _LANES, subclasses=True),
    Seam(f"{_LONE_AGENT}.kickoff", "agent", _spans.agent_kickoff, _LANES),
    Seam(f"{_LONE_AGENT}.kickoff_async", "agent", _spans.agent_akickoff, _LANES),
)

CALLBACKS = (
    Seam("crewai.task:process_guardrail", "code", _callbacks.check, _CALLED),
    Seam("crewai.agent.core:process_guardrail", "code", _callbacks.check, _CALLED),
    Seam("crewai.lite_agent:process_guardrail", "code", _callbacks.check, _CALLED, optional=True),
    Seam(
        "crewai.tasks.conditional_task:ConditionalTask.should_execute",
        "code",
        _callbacks.should_execute,
        "a condition may come out otherwise when a run continues",
        params=("context",),
    ),
)

MEMORY = (
    *(
        Seam(
            f"{_MEMORY}.{method}",
            "memory",
            _memory.operation(name, *params),
            _RECALLED,
            optional=True,
        )
        for method, name, params in (
            ("recall", "recall", ("query", "scope", "categories", "limit", "depth", "source")),
            ("_encode_batch", "remember", ("contents", "scope", "categories", "metadata")),
            ("forget", "forget", ("scope", "categories", "older_than", "metadata_filter")),
            ("update", "update", ("record_id", "content", "scope", "categories", "metadata")),
            ("reset", "reset", ("scope",)),
            ("list_records", "list_records", ("scope", "limit", "offset")),
            ("list_scopes", "list_scopes", ("path",)),
            ("list_categories", "list_categories", ("path",)),
            ("info", "info", ("path",)),
        )
    ),
    Seam(f"{_KNOWLEDGE}.query", "memory", _memory.query, _RECALLED, params=("query",)),
    Seam(f"{_KNOWLEDGE}.aquery", "memory", _memory.aquery, _RECALLED, params=("query",)),
    Seam(f"{_KNOWLEDGE}.add_sources", "memory", _memory.add_sources, _EMBEDDED),
    Seam(f"{_KNOWLEDGE}.aadd_sources", "memory", _memory.aadd_sources, _EMBEDDED),
)

BRANCHES = (
    Seam(
        "crewai.task:Task._execute_task_async",
        "support",
        _branches.execute_in_thread,
        _HANGS,
        params=("agent", "context", "tools", "future"),
    ),
    Seam(
        "crewai.task:Task.execute_async",
        "support",
        _branches.execute_async,
        "a task in a thread goes on unrecorded after its run has ended",
    ),
    Seam(
        "crewai.crew:Crew.kickoff_for_each_async",
        "support",
        _branches.for_each,
        "crews started for other inputs go on unrecorded after their run has ended",
    ),
    Seam(
        "crewai.crew:Crew.akickoff_for_each",
        "support",
        _branches.for_each,
        "crews started for other inputs go on unrecorded after their run has ended",
        optional=True,
        since="1.8",
    ),
)


def _feedback_seams(executor: str) -> tuple[Seam, ...]:
    """Return the seams of a class of executors; which there are differs by CrewAI's version."""
    loses = "providers of a program's own that make their own rounds are asked again"
    return tuple(
        Seam(f"{executor}.{name}", "human", around, loses, optional=True)
        for name, around in (
            ("_handle_human_feedback", _providers.handle_human_feedback),
            ("_ahandle_human_feedback", _providers.ahandle_human_feedback),
        )
    )


PEOPLE = (
    Seam(f"{_PROVIDER}.handle_feedback", "support", _human.handle_feedback, "what is reviewed"),
    Seam(
        f"{_PROVIDER}.handle_feedback_async",
        "support",
        _human.handle_feedback_async,
        "what is reviewed",
    ),
    Seam(
        f"{_PROVIDER}._prompt_input",
        "human",
        _human.prompt_input,
        _TERMINAL,
        params=("crew",),
        subclasses=True,
    ),
    Seam(
        f"{_PROVIDER}._prompt_input_async",
        "human",
        _human.prompt_input_async,
        _TERMINAL,
        params=("crew",),
        subclasses=True,
    ),
    *_feedback_seams("crewai.agents.agent_executor:AgentExecutor"),
    *_feedback_seams("crewai.experimental.agent_executor:AgentExecutor"),
    *_feedback_seams("crewai.agents.crew_agent_executor:CrewAgentExecutor"),
    Seam(
        "crewai.hooks.llm_hooks:LLMCallHookContext.request_human_input",
        "human",
        _human.request_human_input,
        _TERMINAL,
        params=("prompt",),
        optional=True,
    ),
    Seam(
        "crewai.hooks.tool_hooks:ToolCallHookContext.request_human_input",
        "human",
        _human.request_human_input,
        _TERMINAL,
        params=("prompt",),
        optional=True,
    ),
)


def _flow_seams(flow: str) -> tuple[Seam, ...]:
    """Return the seams of the class of flows; it has moved, so each of them is optional."""
    return (
        Seam(f"{flow}.kickoff", "flow", _flows.kickoff, _LANES, optional=True),
        Seam(f"{flow}.kickoff_async", "flow", _flows.kickoff_async, _LANES, optional=True),
        Seam(
            f"{flow}.state",
            "support",
            _methods.state,
            "what methods side by side left in the state is lost or done twice after a kill",
            optional=True,
            getter=True,
        ),
        Seam(f"{flow}.resume", "flow", _flows.resume, _LANES, optional=True),
        Seam(f"{flow}.resume_async", "flow", _flows.resume_async, _LANES, optional=True),
        Seam(
            f"{flow}._execute_method",
            "flow",
            _methods.execute_method,
            "finished methods of a flow are executed again",
            params=("method_name", "method"),
            optional=True,
        ),
        Seam(
            f"{flow}._execute_racing_listeners",
            "flow",
            _methods.execute_racing_listeners,
            "listeners that lost a race run it again",
            optional=True,
        ),
        Seam(
            f"{flow}._run_human_feedback_step",
            "flow",
            _methods.run_human_feedback_step,
            "methods side by side are finished in another order on replay",
            optional=True,
            since="1.15",
        ),
        Seam(
            f"{flow}.ask", "human", _flow_people.ask, _TERMINAL, params=("message",), optional=True
        ),
        Seam(
            f"{flow}._request_human_feedback",
            "human",
            _flow_people.request_feedback,
            _TERMINAL,
            params=("message", "output"),
            optional=True,
        ),
        Seam(
            f"{flow}._resolve_feedback_provider",
            "support",
            _flow_people.resolve_feedback_provider,
            "providers of feedback are asked again",
            optional=True,
            since="1.15",
        ),
    )


_KEPT = (
    ("load_state", _persistence.load, "a continued flow finds what its own methods saved since"),
    ("load_pending_feedback", _persistence.load, "a flow that paused cannot be continued twice"),
    ("save_state", _persistence.save, "states are saved again, over later ones"),
    ("save_pending_feedback", _persistence.save, "a flow that went on is marked as paused"),
    ("clear_pending_feedback", _persistence.save, "a flow that paused again is marked as going on"),
)


FLOWS = (
    *_flow_seams("crewai.flow.runtime:Flow"),
    *_flow_seams("crewai.flow.flow:Flow"),
    *(
        Seam(f"{_PERSISTENCE}.{name}", "memory", around, loses, subclasses=True, optional=True)
        for name, around, loses in _KEPT
    ),
)

SUPPORT = (
    Seam(
        "crewai.utilities.tool_result_artifacts:token_urlsafe",
        "support",
        _artifacts.token_urlsafe,
        "long tool results that were put into files are not found again",
        optional=True,
        since="1.15",
    ),
    Seam(
        "crewai.events.event_bus:CrewAIEventsBus.emit",
        "support",
        _support.emit,
        "tokens are not streamed",
        params=("source", "event"),
    ),
    # Where they are called, and not where they are: who stands in for them there is asked.
    Seam(
        "crewai.events.utils.console_formatter:is_newer_version_available",
        "support",
        _support.newer_version,
        "CrewAI looks for a newer version of itself",
        optional=True,
    ),
    Seam(
        "crewai.events.utils.console_formatter:is_current_version_yanked",
        "support",
        _support.yanked_version,
        "CrewAI asks whether its version was withdrawn",
        optional=True,
    ),
    Seam(
        "crewai.events.listeners.tracing.utils:_is_interactive_terminal",
        "support",
        _support.is_interactive_terminal,
        "CrewAI offers at the end to send its traces",
        optional=True,
    ),
    Seam(
        "crewai.telemetry.telemetry:Telemetry._shutdown",
        "support",
        _support.shut_down,
        "a run that is ended by SIGTERM counts as done, and does not go on",
        optional=True,
    ),
    Seam(
        "crewai.telemetry.telemetry:SafeOTLPSpanExporter.export",
        "support",
        _support.export,
        "CrewAI's telemetry is sent from durable runs",
        params=("spans",),
        optional=True,
        outside=True,
    ),
)

SEAMS = (
    *MODELS,
    *TOOLS,
    *REMOTE,
    *SPANS,
    *CALLBACKS,
    *MEMORY,
    *BRANCHES,
    *PEOPLE,
    *FLOWS,
    *SUPPORT,
)
