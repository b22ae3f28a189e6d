"""Orders, their lines, their story, and the answers that they gave."""
