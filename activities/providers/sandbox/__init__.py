"""Stand-ins for the outside companies: durable, idempotent, and as unreliable as you ask."""
