"""Commands that cancel, return and refund."""
