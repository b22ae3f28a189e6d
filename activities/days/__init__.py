"""The figures of each day."""
