"""The SQLite journal: schema, reads, appends and error messages."""
