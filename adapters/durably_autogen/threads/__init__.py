"""Conversations of threads: where objects hold them, how they are taken and put back."""
