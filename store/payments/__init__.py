"""Authorizations, charges, refunds, store credit and disputes, intent first."""
