"""Items, kits, locations and stock: which location serves which units, and when."""
