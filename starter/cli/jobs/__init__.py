"""Commands about long work."""
