"""The steps of an order and their effects: one class per subject, with injected clients."""
