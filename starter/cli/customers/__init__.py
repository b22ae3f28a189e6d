"""Commands about the people who order."""
