"""Programs started by ``durably run`` and ``durably exec``, with a run around them."""
