"""Tests of the schema change it, so each has a database of its own."""

from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]
