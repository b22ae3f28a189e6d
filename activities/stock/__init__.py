"""Stock for orders: reserve, release, reserve again, wait for backorders."""
