"""A run fails half-way and goes on where it was; what had been paid for is not paid again."""

from durably import CachePolicy, InMemoryCache, InMemorySaver, entrypoint, task

failures = ["the service is down"]


@task
def charge(amount: int) -> str:
    print(f"(charging {amount})")
    return f"receipt for {amount}"


@task(cache_policy=CachePolicy(ttl=120))
def rate(currency: str) -> float:
    print(f"(looking {currency} up)")
    return 1.25


@task
def ship(receipt: str) -> str:
    if failures:
        raise RuntimeError(failures.pop())
    return f"shipped, {receipt}"


@entrypoint(checkpointer=InMemorySaver(), cache=InMemoryCache())
def order(amount: int, *, previous: dict | None) -> dict:
    receipt = charge(amount).result()
    done = {"order": ship(receipt).result(), "cost": amount * rate("EUR").result()}
    return {**done, "number": (previous or {"number": 0})["number"] + 1}


def main() -> None:
    config = {"configurable": {"thread_id": "customer"}}
    try:
        order.invoke(100, config)
    except RuntimeError as error:
        print("failed:", error)
    print(order.invoke(None, config))
    print(order.invoke(40, config))
    print([(state.values or {}).get("number") for state in order.get_state_history(config)])


main()
