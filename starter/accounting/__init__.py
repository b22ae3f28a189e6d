"""The books for other programs, and invoices as they are printed."""
