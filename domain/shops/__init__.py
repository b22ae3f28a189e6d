"""Shops elsewhere that send their orders here: who they are, and what their messages mean."""
