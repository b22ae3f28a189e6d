"""Rows about people who sign in."""
