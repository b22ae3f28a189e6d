"""A day at a glance: its figures, and how they compare with days before."""
