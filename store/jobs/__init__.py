"""The rows of long work."""
