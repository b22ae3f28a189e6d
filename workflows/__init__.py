"""Orchestration: what happens to an order, in which sequence, and how it is undone."""
