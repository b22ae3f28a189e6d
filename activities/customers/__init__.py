"""Erasing of persons, by itself."""
