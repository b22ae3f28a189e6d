"""The figures of each day: counting them, and reading them."""
