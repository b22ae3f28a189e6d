"""The parts of an order, and what can happen to each."""
