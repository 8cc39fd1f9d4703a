"""A CrewAI flow with a state of its own: two model calls, a file, a result."""

from __future__ import annotations

from pathlib import Path

from crewai import LLM
from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel


class Review(BaseModel):
    """The flow's state."""

    topic: str = ""
    draft: str = ""
    notes: list[str] = []


class ReviewFlow(Flow[Review]):
    """Draft, record, judge."""

    @start()
    def draft(self):
        self.state.topic = "tea"
        self.state.draft = LLM(model="gpt-4o-mini").call(f"Write about {self.state.topic}")
        return self.state.draft

    @listen(draft)
    def record(self, text):
        with Path("done.txt").open("a", encoding="utf-8") as done:
            done.write(f"record {text}\n")
        self.state.notes.append(text)
        return len(self.state.notes)

    @listen(record)
    def judge(self, count):
        verdict = LLM(model="gpt-4o-mini").call(f"Judge {count} notes: {self.state.draft}")
        return f"{self.state.topic}: {verdict}"


if __name__ == "__main__":
    print(ReviewFlow().kickoff())
