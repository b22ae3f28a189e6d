"""Suppliers, purchase orders, and the decision what to buy."""
