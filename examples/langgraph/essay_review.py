"""An essay is written, shown to a person, and published or not; the person answers later."""

from durably import Command, InMemorySaver, entrypoint, interrupt, task


@task
def write_essay(topic: str) -> str:
    print(f"(writing about {topic})")
    return f"An essay about {topic}"


@task
def publish(essay: str) -> str:
    print("(publishing)")
    return essay.upper()


@entrypoint(checkpointer=InMemorySaver())
def workflow(topic: str) -> dict:
    essay = write_essay(topic).result()
    answer = interrupt({"essay": essay, "action": "Please approve or reject the essay"})
    published = publish(essay).result() if answer == "approve" else None
    return {"essay": essay, "answer": answer, "published": published}


def main() -> None:
    config = {"configurable": {"thread_id": "essay"}}
    for part in workflow.stream("cats", config):
        for name, value in part.items():
            shown = [question.value for question in value] if name == "__interrupt__" else value
            print(name, shown)
    print("waits for", workflow.get_state(config).next)
    for part in workflow.stream(Command(resume="approve"), config):
        print(part)
    print("values", workflow.get_state(config).values)


main()
