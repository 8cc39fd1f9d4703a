"""Entrypoints as LangChain runnables, and LangChain's messages and callbacks."""
