"""Commands for the books, invoices and credit notes."""
