"""Shops that send their orders here, and their messages until they are worked through."""
