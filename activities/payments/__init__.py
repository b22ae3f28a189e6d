"""Every money call and its documents, and the protocol of a payment company."""
