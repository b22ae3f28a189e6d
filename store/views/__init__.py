"""Reads across capabilities: orders as people ask for them, decisions, the audit."""
