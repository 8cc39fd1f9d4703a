"""Replay: matches the steps of an execution with the steps in the journal."""
