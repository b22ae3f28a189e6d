"""Commands about people who work with the screens."""
