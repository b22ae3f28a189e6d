"""Who ordered, and where it goes: read, and erased."""
