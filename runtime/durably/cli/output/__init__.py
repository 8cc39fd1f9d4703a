"""Output of the commands: live lines, tables, summaries and error messages."""
