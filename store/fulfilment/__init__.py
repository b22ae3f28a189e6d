"""What each location is to send, and the labels and shipments that come of it."""
