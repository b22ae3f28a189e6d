"""The sequence of events, subscriptions, and what was delivered."""
