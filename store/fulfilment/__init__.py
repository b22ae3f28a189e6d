"""Fulfilments, and the labels and shipments that they lead to."""
