"""Payments, disputes and reconciliation as values."""
