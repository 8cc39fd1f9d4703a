"""CrewAI's flows: kickoff, methods, state, persistence and human feedback."""
