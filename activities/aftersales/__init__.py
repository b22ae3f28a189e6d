"""Returns: approve one, and wait for the goods."""
