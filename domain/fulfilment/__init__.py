"""One location's part of an order, and what carriers say about its shipment."""
