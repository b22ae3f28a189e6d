"""The parts of an order, each with what may befall it."""
