"""Keys of other programs, as they are kept."""
