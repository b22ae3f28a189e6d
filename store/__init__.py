"""PostgreSQL: migrations, named queries, and typed functions that take a connection."""
