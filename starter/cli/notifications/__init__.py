"""Commands about the events that other systems are told."""
