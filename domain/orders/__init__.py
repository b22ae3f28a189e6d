"""An order as a value: the document, its amounts and quantities, and what may be said to it."""
