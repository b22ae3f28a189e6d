"""The benchmark: what one order costs, side by side with the same order written as tutorials do."""
