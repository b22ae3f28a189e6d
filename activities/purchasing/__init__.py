"""Deciding what to buy, each step of a purchase order, and what a supplier must offer."""
