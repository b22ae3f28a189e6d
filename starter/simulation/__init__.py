"""The outside, played by the program: the warehouse, carriers, the returns desk and suppliers."""
