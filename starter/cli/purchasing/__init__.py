"""Commands for suppliers and purchase orders."""
