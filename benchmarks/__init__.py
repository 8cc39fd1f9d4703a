"""Measures durably beside LangGraph and DBOS: ``python -m benchmarks``."""
