"""Questions to people: the inbox, and the answers that it records."""
