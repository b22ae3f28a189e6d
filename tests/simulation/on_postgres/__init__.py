"""Tier 2 of the simulator: the real activities and facts on a real PostgreSQL, in virtual time."""
