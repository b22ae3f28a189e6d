"""Commands of the warehouse and of carriers."""
