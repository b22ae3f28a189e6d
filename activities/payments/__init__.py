"""Every money call and its papers, and what a payment company must offer."""
