"""Does long work, by the same doors as everybody: reads files, asks, and writes files."""
