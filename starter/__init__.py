"""Everything that talks to Temporal as a client: doors, command line, channels, stack."""
