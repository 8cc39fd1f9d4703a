"""A support desk as a CrewAI program: look an order up, write to the customer, report.

    OPENAI_API_KEY=… python demo_crew.py [--stream]

Mails are lines in the file that OUTBOX names.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

ORDERS = {
    "1042": "Order 1042: two teapots, customer Ada Moss <ada@example.com>, lost in transit.",
}
POLICIES = {
    "lost": "Policy 'lost': a parcel lost in transit is refunded in full within 5 days.",
}


@tool("look_up")
def look_up(kind: str, key: str) -> str:
    """Look up an order by its number (kind "order") or a policy by its name (kind "policy")."""
    return {"order": ORDERS, "policy": POLICIES}[kind].get(key, "Nothing found.")


@tool("send_mail")
def send_mail(to: str, body: str) -> str:
    """Send a mail to a customer."""
    with Path(os.environ.get("OUTBOX", "outbox.txt")).open("a", encoding="utf-8") as outbox:
        outbox.write(f"{to}: {body}\n")
    return f"Sent to {to}."


def build_crew(*, stream: bool) -> Crew:
    llm = LLM(model="gpt-4o-mini", stream=stream)
    researcher = Agent(
        role="Order researcher",
        goal="Find the facts about an order",
        backstory="You know the shop's records and never guess.",
        tools=[look_up],
        llm=llm,
    )
    writer = Agent(
        role="Customer writer",
        goal="Write to customers kindly and briefly",
        backstory="You answer customers by mail.",
        tools=[send_mail],
        llm=llm,
    )
    facts = Task(
        description="Look up order {order} and the policy that applies to it.",
        expected_output="What happened to the order and what the customer is owed.",
        agent=researcher,
    )
    mail = Task(
        description="Send the customer of order {order} one mail that says what they are owed.",
        expected_output="Who was written to, and the text of the mail.",
        agent=writer,
        context=[facts],
    )
    report = Task(
        description="Report how the case of order {order} was handled.",
        expected_output="One sentence.",
        agent=researcher,
        context=[facts, mail],
    )
    return Crew(agents=[researcher, writer], tasks=[facts, mail, report])


def main() -> None:
    parser = argparse.ArgumentParser(description="Handle a lost order with a crew of two.")
    parser.add_argument("--stream", action="store_true", help="stream the model's answers")
    crew = build_crew(stream=parser.parse_args().stream)
    print(crew.kickoff(inputs={"order": "1042"}))


if __name__ == "__main__":
    main()
