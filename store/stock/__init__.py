"""Stock by SKU and location: its movements, and every claim on it."""
