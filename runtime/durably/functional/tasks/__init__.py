"""Tasks: the decorator, futures, the thread pool, cached results."""
