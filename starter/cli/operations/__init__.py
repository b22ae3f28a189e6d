"""Commands that set up, run, simulate and audit the whole system."""
