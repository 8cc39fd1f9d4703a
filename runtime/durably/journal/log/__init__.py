"""The log of a thread: appends, group commits and their durability."""
