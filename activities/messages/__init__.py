"""Messages to customers are planned and sent."""
