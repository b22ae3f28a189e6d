"""Commands that place, show and follow orders."""
