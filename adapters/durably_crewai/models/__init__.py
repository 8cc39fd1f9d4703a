"""CrewAI's model calls: the calls themselves, fallbacks, retries of the SDKs, token usage."""
