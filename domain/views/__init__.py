"""What is shown to the world outside, over all capabilities."""
