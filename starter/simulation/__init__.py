"""Plays the outside: the warehouse, carriers, the returns desk and suppliers."""
