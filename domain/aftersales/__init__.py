"""What happens to goods that customers have: what they claim, and what is decided about it."""
