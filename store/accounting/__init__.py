"""The journal, invoices and credit notes, and what goods have cost."""
