"""The books for other programs, and the printed invoices."""
