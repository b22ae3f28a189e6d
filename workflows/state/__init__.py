"""The state of an order."""
