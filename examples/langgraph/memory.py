"""A chatbot that remembers a conversation by its thread, and a person across threads."""

from durably import InMemorySaver, InMemoryStore, entrypoint, get_config, get_store, task


@task
def model(messages: list[str], known: list[str]) -> str:
    if "who am I" in messages[-1]:
        return f"You said: {'; '.join(known) or 'nothing yet'}"
    return f"Hello, this is message {len(messages)}"


@task
def remember(text: str) -> None:
    space = ("people", get_config()["configurable"]["user_id"])
    get_store().put(space, str(len(get_store().search(space))), {"text": text})


@entrypoint(checkpointer=InMemorySaver(), store=InMemoryStore())
def chat(text: str, *, previous: list[str] | None, store, config):
    messages = [*(previous or []), text]
    found = store.search(("people", config["configurable"]["user_id"]))
    answer = model(messages, [one.value["text"] for one in found]).result()
    if text.startswith("I am"):
        remember(text).result()
    return entrypoint.final(value=answer, save=[*messages, answer])


def main() -> None:
    def config(thread: str, user: str) -> dict:
        return {"configurable": {"thread_id": thread, "user_id": user}}

    print(chat.invoke("I am Bob", config("1", "bob")))
    print(chat.invoke("I am hungry", config("1", "bob")))
    print(chat.invoke("who am I?", config("2", "bob")))
    print(chat.invoke("who am I?", config("3", "eve")))
    print(list(chat.stream("hello", config("1", "bob"), stream_mode="values")))


main()
