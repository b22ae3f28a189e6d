"""What the relay does with messages of shops."""
