"""The commands of ``durably``, one file each."""
