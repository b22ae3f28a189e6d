"""Invoices and credit notes as they are printed."""
