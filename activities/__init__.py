"""The effects: one class per capability, each with the clients it needs injected."""
