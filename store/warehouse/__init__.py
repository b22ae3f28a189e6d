"""Reports of the warehouse and the carriers, and the stock that they move."""
