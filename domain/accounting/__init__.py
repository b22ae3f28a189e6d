"""The chart of accounts, what goods have cost, and what stands on invoices."""
