"""Events get their positions, and are delivered."""
