"""Long work that outlives the program that asked for it: what there is, and how it stands."""
