"""What the relay does with interchanges of trading partners."""
