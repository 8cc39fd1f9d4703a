"""A run in this process: its state, its stream, its failures."""
