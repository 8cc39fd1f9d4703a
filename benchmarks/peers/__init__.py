"""The libraries that are compared, each behind one small interface."""
