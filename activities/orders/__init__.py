"""What an order writes down about itself."""
