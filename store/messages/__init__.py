"""Messages to customers: which are due, what became of them, and what they say."""
