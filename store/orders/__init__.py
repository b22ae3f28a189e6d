"""Orders, their lines, their story, and what they answered."""
