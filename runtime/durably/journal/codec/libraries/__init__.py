"""Values of libraries: what is known of their classes, so that their objects can be recorded."""
