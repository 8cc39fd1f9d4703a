"""A chat agent whose tool calls a person lets pass, changes, or answers."""

from typing import Any

from durably import Command, InMemorySaver, entrypoint, interrupt, task


@task
def model(messages: list[dict]) -> dict:
    results = [one["content"] for one in messages if one["role"] == "tool"]
    if len(results) > 1:
        return {"role": "ai", "content": f"It is {results[1]}.", "calls": []}
    city = "nyc" if results else "sf"
    return {"role": "ai", "content": "", "calls": [{"name": "weather", "args": {"city": city}}]}


@task
def weather(call: dict) -> dict:
    return {"role": "tool", "content": f"sunny in {call['args']['city']}"}


def review(call: dict) -> dict:
    answer = interrupt({"question": "Is this correct?", "call": call})
    if answer["action"] == "update":
        return {**call, "args": answer["data"]}
    if answer["action"] == "feedback":
        return {"role": "tool", "content": answer["data"]}
    return call


@entrypoint(checkpointer=InMemorySaver())
def agent(messages: list[dict], *, previous: Any) -> Any:
    messages = [*(previous or []), *messages]
    answer = model(messages).result()
    while answer["calls"]:
        reviewed = [review(call) for call in answer["calls"]]
        results = [weather(one).result() if "args" in one else one for one in reviewed]
        messages = [*messages, answer, *results]
        answer = model(messages).result()
    return entrypoint.final(value=answer, save=[*messages, answer])


def main() -> None:
    config = {"configurable": {"thread_id": "chat"}}
    given: Any = [{"role": "user", "content": "What's the weather?"}]
    answers = [
        {"action": "update", "data": {"city": "San Francisco"}},
        {"action": "feedback", "data": "rainy in New York"},
    ]
    while given is not None:
        asked = []
        for part in agent.stream(given, config):
            asked = [one.value["call"] for one in part.get("__interrupt__", ())]
            print(asked or part)
        given = Command(resume=answers.pop(0)) if asked else None
    print(agent.get_state(config).values)


main()
