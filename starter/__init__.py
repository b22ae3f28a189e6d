"""Everything that talks to Temporal as a client: OrderClient, command line, channels, stack."""
