"""What is done with an order: each act has a page that shows beforehand what it does."""
