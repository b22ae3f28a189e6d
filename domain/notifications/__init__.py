"""What other systems are told: the types of events, who subscribes, and how a message looks."""
