"""The embedded stack: a real PostgreSQL, a real Temporal server and the workers, in one folder."""
