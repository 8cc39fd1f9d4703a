"""Paragraphs are written in parallel; one of them fails at first and is tried again."""

import asyncio

from durably import InMemorySaver, RetryPolicy, entrypoint, get_stream_writer, task

attempts: dict[str, int] = {}


@task(retry_policy=RetryPolicy(initial_interval=0.01, jitter=False, retry_on=ConnectionError))
async def paragraph(topic: str) -> str:
    attempts[topic] = attempts.get(topic, 0) + 1
    if topic == "dogs" and attempts[topic] == 1:
        raise ConnectionError("the model is busy")
    return f"{topic.capitalize()} are animals."


@task
def title(text: str) -> str:
    return text.split(maxsplit=1)[0]


@entrypoint(checkpointer=InMemorySaver())
async def report(topics: list[str]) -> str:
    write = get_stream_writer()
    write(f"{len(topics)} paragraphs")
    paragraphs = await asyncio.gather(*[paragraph(topic) for topic in topics])
    heading = await title(paragraphs[0])
    return "\n\n".join([f"# {heading}", *paragraphs])


async def main() -> None:
    config = {"configurable": {"thread_id": "report"}}
    async for part in report.astream(
        ["cats", "dogs", "owls"], config, stream_mode=["custom", "values"]
    ):
        print(part)
    print(attempts)


asyncio.run(main())
