"""One location's part of an order, and carriers' reports about its shipment."""
