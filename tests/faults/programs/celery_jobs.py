"""A Celery application whose task kicks off a crew, wrapped when the module was imported."""

import os
import signal
from pathlib import Path

from celery import Celery
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

import durably

BROKER = Path("broker")
for name in ("queue", "results", "processed"):
    (BROKER / name).mkdir(parents=True, exist_ok=True)

app = Celery(
    "celery_jobs", broker="filesystem://", backend=f"file://{BROKER.resolve() / 'results'}"
)
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(BROKER / "queue"),
        "data_folder_out": str(BROKER / "queue"),
        "processed_folder": str(BROKER / "processed"),
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)


@tool("mail")
def mail(who: str) -> str:
    """Write a mail."""
    with Path("effects.txt").open("a", encoding="utf-8") as file:
        file.write(f"mail {who}\n")
    return f"mailed {who}"


def die_once(output):
    """Kill the process behind bob's mail, the first time."""
    died = Path("died")
    if "bob" in output.raw and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)


clerk = Agent(role="Clerk", goal="mail", backstory="b", tools=[mail], llm=LLM(model="gpt-4o-mini"))
write = Task(
    description='Mail {who}. <<mail {"who": "{who}"}>><<say Done for {who}.>>',
    expected_output="a word",
    agent=clerk,
    callback=die_once,
)
tell = Task(description="Tell {who}. <<say Told {who}.>>", expected_output="a word", agent=clerk)
office = durably.wrap(Crew(agents=[clerk], tasks=[write, tell]), checkpointer="sqlite:///jobs.db")


@app.task
def run(who):
    """Mail one person, in a thread of their own."""
    return office.invoke({"who": who}, {"configurable": {"thread_id": who}}).raw
