"""Returns: the units that a customer may send back, and those that arrived."""
