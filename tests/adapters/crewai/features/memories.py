"""Memory and knowledge: what is remembered is recalled the same, and embedded once."""

from __future__ import annotations

import json

from crewai import Memory
from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, model, task, told
from ..ways import Feature

EMBEDDER = {"provider": "openai", "config": {"model_name": "text-embedding-3-small"}}

ANALYSIS = json.dumps(
    {
        "suggested_scope": "/tea",
        "categories": ["tea"],
        "importance": 0.7,
        "extracted_metadata": {"entities": [], "dates": [], "topics": ["tea"]},
    }
)
SCRIPT = [
    Rule(When(system="extract discrete"), Reply.text('{"memories": ["Ada likes green tea."]}')),
    Rule(When(anywhere="Content to store"), Reply.text(ANALYSIS)),
    Rule(When(anywhere="Work a."), Reply.text("Ada likes green tea.")),
    Rule(When(anywhere="Work b."), Reply.text("Green tea it is.")),
]


def memory_of_a_crew(effect):
    workers = agent("a"), agent("b")
    made = crew(
        task("Work a.", workers[0]), task("Work b.", workers[1]), memory=True, embedder=EMBEDDER
    )
    # The last save may end after CrewAI has added the tokens up, and what is recalled is shown
    # with a score that depends on the time; neither is compared.
    return [one.raw for one in made.kickoff().tasks_output]


def memory_of_its_own(effect):
    memory = Memory(llm=model(), embedder=EMBEDDER)
    first = memory.remember(
        "Ada likes green tea.", scope="/tea", categories=["tea"], importance=0.5
    )
    memory.remember("Bob likes coffee.", scope="/coffee", categories=["coffee"], importance=0.5)
    found = memory.recall("What tea does Ada like?", depth="shallow", limit=1)
    scopes = memory.list_scopes("/")
    count = memory.forget(scope="/coffee")
    memory.close()
    return first.content, [one.record.content for one in found], sorted(scopes), count


def knowledge_of_a_crew(effect):
    source = StringKnowledgeSource(content="Ada likes green tea. Bob likes coffee.")
    made = crew(task("Work b.", agent("b")), knowledge_sources=[source], embedder=EMBEDDER)
    return told(made.kickoff())


def knowledge_of_an_agent(effect):
    source = StringKnowledgeSource(content="Ada likes green tea. Bob likes coffee.")
    worker = agent("b", knowledge_sources=[source], embedder=EMBEDDER)
    return told(crew(task("Work b.", worker)).kickoff())


FEATURES = [
    Feature(memory_of_a_crew, SCRIPT, volatile=True, overlaps=True),
    Feature(memory_of_its_own, SCRIPT),
    Feature(knowledge_of_a_crew, SCRIPT),
    Feature(knowledge_of_an_agent, SCRIPT),
]
