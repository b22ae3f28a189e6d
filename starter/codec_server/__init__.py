"""Decrypts for the Temporal UI, which has no keys of its own."""
