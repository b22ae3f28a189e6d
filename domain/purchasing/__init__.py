"""What to buy, when, and the purchase orders that go to suppliers."""
