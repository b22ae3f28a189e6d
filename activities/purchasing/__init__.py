"""Deciding what to buy, each step of a purchase order, and the protocol of a supplier."""
