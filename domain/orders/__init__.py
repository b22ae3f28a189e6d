"""The order as a value: its document, amounts and quantities, and the messages to it."""
