"""What an order knows."""
