"""What the warehouse and the carriers report, written where it happens."""
