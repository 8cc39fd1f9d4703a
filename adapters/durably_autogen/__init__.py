"""The adapter for autogen."""
