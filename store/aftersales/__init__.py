"""Returns: what a customer may send back, and what arrived."""
