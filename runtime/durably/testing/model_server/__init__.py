"""The scripted model server: HTTP on loopback in the dialects of several providers."""
