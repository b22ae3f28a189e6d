"""Customers, as those know them who speak with them."""
