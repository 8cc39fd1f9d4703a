"""Leases: which process drives a thread, and whether that process is alive."""
