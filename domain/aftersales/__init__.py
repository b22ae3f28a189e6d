"""After the sale: what comes back and what is claimed, and what is decided about it."""
