"""Everything that talks to Temporal as a client: Orders, command line, channels, stack."""
