"""What is reported of goods without a warehouse's people: sales at a till."""
