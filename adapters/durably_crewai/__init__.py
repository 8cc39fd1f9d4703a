"""The adapter for crewai."""
