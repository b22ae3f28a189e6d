"""Commands about messages to customers."""
