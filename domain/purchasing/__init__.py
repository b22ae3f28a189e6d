"""Replenishment, purchase orders, and the documents that go to suppliers."""
