"""The outside companies: what Orderloom asks of each, and the sandbox that stands in for them."""
