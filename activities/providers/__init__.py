"""Adapters of the outside companies, and the sandbox companies that stand in for them."""
