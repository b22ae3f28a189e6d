"""Stripe, through its official SDK: payments with manual capture. Set-up: docs/stripe.md."""
