"""The SQLite store: its file, its records, the store itself."""
