"""Entrypoints: the decorator, one execution, nested calls."""
