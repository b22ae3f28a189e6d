"""The contestants, each in modules of its own.

Nothing is imported here: a workflow that runs in the sandbox loads this package once per order.
"""
