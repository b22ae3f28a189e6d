"""The chart of accounts, the cost of goods, and the content of invoices."""
