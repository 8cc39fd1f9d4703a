"""Streams of an entrypoint in the shapes of LangGraph's stream modes."""
