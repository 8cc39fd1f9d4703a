"""Wire formats of the model server, one file for each provider's dialect."""
