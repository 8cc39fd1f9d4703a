"""Streams of a run to its caller and to other processes."""
