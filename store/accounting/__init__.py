"""The journal, invoices and credit notes, and the cost of goods."""
