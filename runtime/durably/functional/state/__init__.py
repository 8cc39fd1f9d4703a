"""State of a thread: snapshots, history, checkpointers."""
