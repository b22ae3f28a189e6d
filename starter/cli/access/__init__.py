"""Commands about who may come in from outside."""
