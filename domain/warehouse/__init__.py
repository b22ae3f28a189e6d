"""Work on the floor of a warehouse: what is scanned, and what a run of scans decides."""
