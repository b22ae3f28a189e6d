"""Long work: started, and forgotten when it is old."""
