"""Commands for payments, store credit, disputes and reconciliation."""
