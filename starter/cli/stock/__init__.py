"""Commands for stock, items, kits, locations and baskets."""
